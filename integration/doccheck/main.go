// Command doccheck checks the Markdown documents of the repository: every
// relative link leads to a file, and every fragment to a heading of it.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

func main() {
	problems, err := check(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "doccheck:", err)
		os.Exit(2)
	}
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, p)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
}

// check returns a line for every link that leads nowhere, in the documents
// below root.
func check(root string) ([]string, error) {
	var problems []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") && d.Name() != ".github" {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".md" {
			return nil
		}
		found, err := checkFile(path)
		problems = append(problems, found...)
		return err
	})
	return problems, err
}

var (
	link = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	code = regexp.MustCompile("`[^`]*`")
)

func checkFile(path string) ([]string, error) {
	lines, err := proseLines(path)
	if err != nil {
		return nil, err
	}
	var problems []string
	for i, line := range lines {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(line, ""), -1) {
			why, err := follow(path, m[1])
			if err != nil {
				return nil, err
			}
			if why != "" {
				problems = append(problems, fmt.Sprintf("%s:%d: %s: %s", path, i+1, m[1], why))
			}
		}
	}
	return problems, nil
}

// follow returns why a link in the document at path leads nowhere, or "".
// Links out of the repository are not followed.
func follow(path, target string) (string, error) {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return "", nil
	}
	file, fragment, _ := strings.Cut(target, "#")
	dst := path
	if file != "" {
		dst = filepath.Join(filepath.Dir(path), filepath.FromSlash(file))
	}
	if _, err := os.Stat(dst); errors.Is(err, fs.ErrNotExist) {
		return "there is no such file", nil
	} else if err != nil {
		return "", err
	}
	if fragment == "" || filepath.Ext(dst) != ".md" {
		return "", nil
	}
	lines, err := proseLines(dst)
	if err != nil {
		return "", err
	}
	for _, line := range lines {
		if heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") && anchor(heading) == fragment {
			return "", nil
		}
	}
	return "there is no such heading", nil
}

// anchor returns the fragment that GitHub gives a heading.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(heading))
}

// proseLines returns a document's lines, with those of code blocks emptied.
func proseLines(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(data), "\n")
	var fenced bool
	for i, line := range lines {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		if fence || fenced {
			lines[i] = ""
		}
		fenced = fenced != fence
	}
	return lines, nil
}
