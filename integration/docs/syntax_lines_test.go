package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/document"
)

// documentFrontend is the frontend image that every "# syntax=" line of the documents and
// examples names. Nobody can register a name below example.com (decision 13).
const documentFrontend = document.Registry + "/stagebuild/stagebuild:1"

// otherFrontends maps a document to the one other image that it names on purpose.
var otherFrontends = map[string]string{
	"docs/troubleshooting.md": document.Registry + "/tools/stagebuild:1",
}

var syntaxLine = regexp.MustCompile(`(?m)^# syntax=(\S*)$`)

// TestSyntaxLines compares the "# syntax=" lines of the README, the documents and the
// examples with the one reference that they may name, with or without a digest.
func TestSyntaxLines(t *testing.T) {
	lines := 0
	for _, root := range []string{"README.md", "docs", "examples"} {
		err := filepath.WalkDir(filepath.Join("..", "..", root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			name := strings.TrimPrefix(filepath.ToSlash(path), "../../")
			for _, m := range syntaxLine.FindAllSubmatch(data, -1) {
				lines++
				ref, _, _ := strings.Cut(string(m[1]), "@")
				if ref != documentFrontend && ref != otherFrontends[name] {
					t.Errorf("%s: # syntax=%s names another image than %s", name, m[1], documentFrontend)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if lines == 0 {
		t.Error("no document or example has a # syntax= line")
	}
}
