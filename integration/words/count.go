package main

import (
	"cmp"
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// word is a word that is counted, in all its forms.
type word struct {
	name    string
	pattern *regexp.Regexp
	limit   float64 // per 1,000 comment lines
}

// words lists the counted words. The limits are above the rates of BuildKit,
// mvdan/sh, x/mod and regclient.
func words() []word {
	return []word{
		{"what", whatPattern, 15},
		{"stand", standPattern, 3},
		{"say", sayPattern, 8},
	}
}

var (
	whatPattern  = regexp.MustCompile(`(?i)\bwhat\b`)
	standPattern = regexp.MustCompile(`(?i)\bstands?\b`)
	sayPattern   = regexp.MustCompile(`(?i)\b(says?|said)\b`)
)

func limits() string {
	var list []string
	for _, w := range words() {
		list = append(list, fmt.Sprintf("%s %.0f", w.name, w.limit))
	}
	return strings.Join(list, ", ")
}

// comment is one line of a comment that holds text.
type comment struct {
	file   string // with slashes, below the root
	number int    // 1-based
	text   string // without the comment's marks
}

// counts are the words of some comment lines.
type counts struct {
	name  string
	lines int
	words []int // as words lists them
}

// rate returns how often a word comes in 1,000 comment lines.
func (c counts) rate(word int) float64 {
	return 1000 * float64(c.words[word]) / float64(max(1, c.lines))
}

func count(name string, lines []comment) counts {
	c := counts{name: name, lines: len(lines), words: make([]int, len(words()))}
	for _, line := range lines {
		for i, w := range words() {
			c.words[i] += len(w.pattern.FindAllStringIndex(line.text, -1))
		}
	}
	return c
}

// countPackages returns the counts of each directory, sorted, and their sum.
func countPackages(lines []comment) (byPackage []counts, all counts) {
	packages := map[string][]comment{}
	for _, line := range lines {
		dir := path.Dir(line.file)
		packages[dir] = append(packages[dir], line)
	}
	for dir, lines := range packages {
		byPackage = append(byPackage, count(dir, lines))
	}
	slices.SortFunc(byPackage, func(a, b counts) int { return cmp.Compare(a.name, b.name) })
	return byPackage, count("all", lines)
}

// readTree returns the comment lines of the Go files below root.
func readTree(root string) ([]comment, error) {
	var lines []comment
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		found, err := readFile(root, filepath.ToSlash(rel))
		lines = append(lines, found...)
		return err
	})
	return lines, err
}

// readFile returns the comment lines of a Go file below root.
func readFile(root, file string) ([]comment, error) {
	src, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
	if err != nil {
		return nil, err
	}
	var errs []error
	var scan scanner.Scanner
	files := token.NewFileSet()
	scan.Init(files.AddFile(file, -1, len(src)), src, func(_ token.Position, msg string) {
		errs = append(errs, fmt.Errorf("%s: %s", file, msg))
	}, scanner.ScanComments)
	var lines []comment
	for {
		pos, tok, text := scan.Scan()
		if tok == token.EOF {
			return lines, errors.Join(errs...)
		}
		if tok != token.COMMENT {
			continue
		}
		first := files.Position(pos).Line
		for i, line := range strings.Split(text, "\n") {
			if line = prose(line); line != "" {
				lines = append(lines, comment{file, first + i, line})
			}
		}
	}
}

// prose returns a comment's line without its marks, and "" for a directive.
func prose(line string) string {
	if text, ok := strings.CutPrefix(line, "//"); ok {
		if text != "" && text[0] != ' ' && text[0] != '\t' {
			return "" // as in //go:embed
		}
		return strings.TrimSpace(text)
	}
	line = strings.TrimPrefix(strings.TrimSpace(line), "/*")
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSuffix(line, "*/"), "*"))
}
