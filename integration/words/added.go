package main

import (
	"context"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// readAdded returns the comment lines that differ from those of a base commit,
// and the commit. It returns no lines if git, or the history, is missing.
func readAdded(ctx context.Context, root string) (lines []comment, base string, err error) {
	base, ok := findBase(ctx, root)
	if !ok {
		return nil, "", nil
	}
	diff, ok := git(ctx, root, "diff", "--relative", "-U0", "--no-color", "--no-ext-diff", "--diff-filter=d", "--src-prefix=a/", "--dst-prefix=b/", base, "--", "*.go")
	if !ok {
		return nil, "", nil
	}
	for _, f := range addedLines(diff) {
		all, err := readFile(root, f.name)
		if err != nil {
			return nil, "", err
		}
		for _, line := range all {
			if f.lines[line.number] {
				lines = append(lines, line)
			}
		}
	}
	return lines, base, nil
}

// findBase returns the commit that a change is compared with.
func findBase(ctx context.Context, root string) (string, bool) {
	head, ok := git(ctx, root, "rev-parse", "HEAD")
	if !ok {
		return "", false
	}
	if base, ok := git(ctx, root, "merge-base", "HEAD", "origin/main"); ok && base != head {
		return base, true
	}
	return git(ctx, root, "rev-parse", "--verify", "--quiet", "HEAD~1")
}

// git returns the trimmed output of a git command, and whether it succeeded.
func git(ctx context.Context, dir string, args ...string) (string, bool) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err == nil
}

// addition is the set of lines that a change adds to a file.
type addition struct {
	name  string
	lines map[int]bool // by their 1-based number
}

var hunk = regexp.MustCompile(`^@@ -\S+ \+(\d+)(?:,(\d+))? @@`)

// addedLines reads a diff without context lines.
func addedLines(diff string) []addition {
	var files []addition
	header := false
	for line := range strings.Lines(diff) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "diff --git ") {
			header = true
		}
		if name, ok := strings.CutPrefix(line, "+++ b/"); ok && header {
			files = append(files, addition{name: name, lines: map[int]bool{}})
		}
		m := hunk.FindStringSubmatch(line)
		if m == nil || len(files) == 0 {
			continue
		}
		header = false
		first, _ := strconv.Atoi(m[1]) // digits, by the pattern
		n := 1
		if m[2] != "" {
			n, _ = strconv.Atoi(m[2])
		}
		for i := range n {
			files[len(files)-1].lines[first+i] = true
		}
	}
	return files
}
