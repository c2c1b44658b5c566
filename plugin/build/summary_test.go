package build

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFilesSize adds up the files of a directory, in which one file has two names.
func TestFilesSize(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), make([]byte, 100), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "c"), make([]byte, 10), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := filesSize([]string{dir}); err != nil || got != 110 {
		t.Errorf("%d bytes, %v", got, err)
	}
}
