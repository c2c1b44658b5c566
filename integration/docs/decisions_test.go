package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var codeSpan = regexp.MustCompile("`([^`]+)`")

// TestDecisionsNameCode looks up the code that each decision names below "In the code:".
// Names come before the file or directory that defines them.
func TestDecisionsNameCode(t *testing.T) {
	decisions, err := filepath.Glob("../../docs/decisions/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range decisions {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".md"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, code, _ := strings.Cut(string(data), "\nIn the code: ")
			var names []string
			for _, span := range codeSpan.FindAllStringSubmatch(code, -1) {
				if !strings.Contains(span[1], "/") {
					names = append(names, span[1])
					continue
				}
				text := goText(t, filepath.Join("..", "..", span[1]))
				for _, name := range names {
					last := name[strings.LastIndex(name, ".")+1:]
					if !regexp.MustCompile(`\b` + last + `\b`).MatchString(text) {
						t.Errorf("%s does not contain %s", span[1], name)
					}
				}
				names = nil
			}
		})
	}
}

// goText returns the Go source of a file, or of the files in a directory.
func goText(t *testing.T, path string) string {
	t.Helper()
	var text strings.Builder
	err := filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		data, err := os.ReadFile(path)
		text.Write(data)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return text.String()
}
