// Command slug turns titles into text for URLs:
//
//	$ slug "Hello, World"
//	hello-world
package main

import (
	"fmt"
	"os"
	"strings"
	"unicode"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: slug TITLE…")
		os.Exit(2)
	}
	for _, title := range os.Args[1:] {
		fmt.Println(slug(title))
	}
}

// slug keeps letters and digits, in lower case, and replaces everything between
// them with a hyphen.
func slug(title string) string {
	words := strings.FieldsFunc(title, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.ToLower(strings.Join(words, "-"))
}
