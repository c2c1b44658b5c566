package syntax_test

import (
	"fmt"
	"testing"

	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// TestMisplacedDirective checks which lines get a warning: directives that BuildKit does
// not read because of "# platforms=" above them.
func TestMisplacedDirective(t *testing.T) {
	const platforms = "# platforms=linux/amd64\n"
	for text, lines := range map[string]string{
		platforms + "# escape=`\n#CHECK = skip=all\n# syntax=a\nFROM a\n": "[2 3 4]",
		"# syntax=a\n" + platforms + "# check=error=true\r\nFROM a\n":     "[3]",
		"\ufeff" + platforms + "  # escape=`\nFROM a\n":                   "[2]",
		"# syntax=a\n# escape=`\n# check=skip=all\n" + platforms:          "[]",
		platforms + "\n# check=skip=all\nFROM a\n":                        "[]", // belongs to the FROM
		platforms + "# A comment.\n# check=skip=all\nFROM a\n":            "[]",
		"# A comment.\n" + platforms + "# check=skip=all\nFROM a\n":       "[]",
		platforms + "FROM a\n# check=skip=all\nRUN b\n":                   "[]",
		platforms + "# other=skip=all\nFROM a\n":                          "[]",
		"# syntax=a\n" + platforms + "# syntax=b\nFROM a\n":               "[]",
		"# check=skip=all\n# other\n# escape=`\nFROM a\n":                 "[]",
	} {
		t.Run(text, func(t *testing.T) {
			file, err := syntax.Parse(source.NewFile("Dockerfile", []byte(text)))
			if err != nil {
				t.Fatal(err)
			}
			warned := []int{}
			for _, w := range file.Warnings {
				if w.Name != syntax.MisplacedDirective {
					t.Errorf("unexpected warning: %v", w)
				}
				warned = append(warned, w.Span.Pos().Line)
			}
			if fmt.Sprint(warned) != lines {
				t.Errorf("warnings on lines %v, want %s", warned, lines)
			}
		})
	}
}
