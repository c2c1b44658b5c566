package harness

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

func TestRemoveStale(t *testing.T) {
	parent := t.TempDir()
	living, err := makeDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	dead, err := makeDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	// After Wait no process has the ID of an ended process.
	cmd := exec.CommandContext(t.Context(), "go", "version")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	pid := []byte(strconv.Itoa(cmd.Process.Pid))
	if err := os.WriteFile(filepath.Join(dead, "pid"), pid, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := removeStale(parent); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(living); err != nil {
		t.Errorf("the directory of a running process: %v", err)
	}
	if _, err := os.Stat(dead); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory of an ended process was not removed: %v", err)
	}
}
