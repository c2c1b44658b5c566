module example.com/appdirs

go 1.26
