package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"a.md": "# Top\n\n[b](b.md) [part](b.md#a-part-of-b) [top](#top) [out](https://example.com/x)\n" +
			"[gone](gone.md)\n[no part](b.md#nowhere)\n`[code](none.md)`\n```\n[fenced](none.md)\n```\n[last](none.md)\n",
		"b.md": "## A *part* of b!\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := check(dir)
	if err != nil {
		t.Fatal(err)
	}
	at := func(rest string) string { return filepath.Join(dir, "a.md") + rest }
	want := []string{
		at(":4: gone.md: there is no such file"),
		at(":5: b.md#nowhere: there is no such heading"),
		at(":10: none.md: there is no such file"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("check (-want +got):\n%s", diff)
	}
}
