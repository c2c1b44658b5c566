package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// walkRow is a file of a walk, with the text that it must contain.
type walkRow struct{ file, part string }

var (
	walkFile    = regexp.MustCompile("^\\| \\[`([^`]+)`\\]\\(([^)]+)\\) \\| `([^`]+)` \\| .+ \\|$")
	walkExample = regexp.MustCompile(`Example: ([^.]+)\.`)
)

// readWalk returns the rows of a section of CONTRIBUTING.md, and the names of its
// example.
func readWalk(t *testing.T, text, title string) (rows []walkRow, examples []string) {
	t.Helper()
	_, section, ok := strings.Cut(text, "\n## "+title+"\n")
	if !ok {
		t.Fatalf("CONTRIBUTING.md has no section %q", title)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		m := walkFile.FindStringSubmatch(strings.TrimSpace(line))
		switch {
		case m != nil && m[1] != m[2]:
			t.Errorf("the link of %s leads to %s", m[1], m[2])
		case m != nil:
			rows = append(rows, walkRow{m[1], m[3]})
		case strings.HasPrefix(line, "| ["):
			t.Errorf("this row has no file, part and change: %s", line)
		}
	}
	m := walkExample.FindStringSubmatch(section)
	if m == nil || len(rows) == 0 {
		t.Fatalf("the section %q has no example or no files", title)
	}
	for name := range strings.SplitSeq(m[1], ", ") {
		examples = append(examples, strings.Trim(name, "`"))
	}
	return rows, examples
}

// mentions returns the Go and Markdown files of the repository that contain one
// of the names as a word. The change log, decisions and CONTRIBUTING.md itself are
// left out.
func mentions(t *testing.T, root string, names []string) []string {
	t.Helper()
	word := regexp.MustCompile(`\b(` + strings.Join(names, "|") + `)\b`)
	var found []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() && (rel == "docs/decisions" || strings.HasPrefix(d.Name(), ".") && path != root) {
			return fs.SkipDir
		}
		if ext := filepath.Ext(rel); d.IsDir() || ext != ".go" && ext != ".md" || rel == "CONTRIBUTING.md" || rel == "CHANGELOG.md" {
			return nil
		}
		data, err := os.ReadFile(path)
		if word.Match(data) {
			found = append(found, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestWalks compares each walk of CONTRIBUTING.md with its example: every listed
// file exists and has the listed part, and every file with the example is listed.
func TestWalks(t *testing.T) {
	root := filepath.Join("..", "..")
	data, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, title := range []string{"A check rule", "A condition function", "A command", "An instruction"} {
		t.Run(title, func(t *testing.T) {
			rows, examples := readWalk(t, string(data), title)
			for _, row := range rows {
				data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(row.file)))
				if err != nil {
					t.Error(err)
				} else if !strings.Contains(string(data), row.part) {
					t.Errorf("%s does not contain %q", row.file, row.part)
				}
			}
			for _, file := range mentions(t, root, examples) {
				if !slices.ContainsFunc(rows, func(r walkRow) bool { return r.file == file }) {
					t.Errorf("%s contains %s, and the walk does not list it", file, strings.Join(examples, " or "))
				}
			}
		})
	}
}
