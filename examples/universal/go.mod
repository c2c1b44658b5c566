module example.com/wait-for

go 1.26
