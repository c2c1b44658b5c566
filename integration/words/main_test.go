package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write writes files, by their path below dir.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// report returns the output of reportAll or reportAdded.
func report(t *testing.T, f func(context.Context, *strings.Builder) error) string {
	t.Helper()
	var out strings.Builder
	if err := f(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const (
	sourceA = "// Package a is what stands here. It says What it said.\npackage a\n\n//go:generate what\n\n/* A block\n * what\n */\nvar s = \"// what\" // a string\n"
	sourceB = "package b\n\n// F returns nothing.\nfunc F() {}\n"
)

func TestAll(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"a/a.go": sourceA, "b/b.go": sourceB,
		"b/testdata/c.go": "// what\npackage c\n", ".cache/d.go": "// what\npackage d\n", "b/b.txt": "// what\n",
	})
	got := report(t, func(ctx context.Context, out *strings.Builder) error { return reportAll(ctx, out, dir) })
	want := `per 1,000 comment lines (limits: what 15, stand 3, say 8)
PACKAGE                               LINES     what    stand      say
a                                         4   750.0!   250.0!   500.0!
b                                         1     0.0      0.0      0.0 
all                                       5   600.0!   200.0!   400.0!
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the report (-want +got):\n%s", diff)
	}
}

func TestAdded(t *testing.T) {
	dir := t.TempDir()
	added := func(ctx context.Context, out *strings.Builder) error { return reportAdded(ctx, out, dir) }
	run := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	write(t, dir, map[string]string{"a/a.go": sourceA, "b/b.go": sourceB})
	t.Run("without git", func(t *testing.T) {
		t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(dir))
		if got := report(t, added); got != "" {
			t.Errorf("the report is not empty:\n%s", got)
		}
	})
	run("init", "-q", "-b", "main")
	run("add", ".")
	run("commit", "-q", "-m", "one")
	t.Run("without a commit before", func(t *testing.T) {
		if got := report(t, added); got != "" {
			t.Errorf("the report is not empty:\n%s", got)
		}
	})
	run("commit", "-q", "--allow-empty", "-m", "two")
	run("update-ref", "refs/remotes/origin/main", "HEAD")
	write(t, dir, map[string]string{"b/b.go": sourceB + "\n// G is what it\n// is named.\nfunc G() {}\n"})
	run("commit", "-q", "-a", "-m", "three")
	write(t, dir, map[string]string{"a/a.go": sourceA + "\n// t says nothing.\nvar t = s\n"})
	t.Run("commits and the working tree", func(t *testing.T) {
		got := report(t, added)
		base, _, _ := strings.Cut(got[strings.Index(got, "since ")+len("since "):], ",")
		want := "words in the 3 comment lines added since " + base + ", per 1,000 lines, what 333 (limit 15), stand 0 (limit 3), say 333 (limit 8)\n" +
			"warning: a/a.go:11: say: t says nothing.\nwarning: b/b.go:6: what: G is what it\n"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the report (-want +got):\n%s", diff)
		}
	})
}
