package harness

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// dirPrefix begins the name of every environment's directory.
const dirPrefix = "sb-env-"

// makeDir makes an environment's directory below parent, and records the ID of this
// process in it.
func makeDir(parent string) (string, error) {
	dir, err := os.MkdirTemp(parent, dirPrefix)
	if err != nil {
		return "", err
	}
	pid := strconv.Itoa(os.Getpid())
	return dir, os.WriteFile(filepath.Join(dir, "pid"), []byte(pid), 0o644)
}

// removeStale removes the directories below parent whose process was killed. The
// kernel has ended its daemons.
func removeStale(parent string) error {
	dirs, err := filepath.Glob(filepath.Join(parent, dirPrefix+"*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range dirs {
		data, err := os.ReadFile(filepath.Join(dir, "pid"))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			continue // another process is making it, or it belongs to another user
		}
		pid, parseErr := strconv.Atoi(strings.TrimSpace(string(data)))
		if err != nil || parseErr != nil {
			errs = append(errs, err)
			continue
		}
		// Signal 0 checks that the process exists (kill(2)).
		if proc, err := os.FindProcess(pid); err == nil && errors.Is(proc.Signal(syscall.Signal(0)), os.ErrProcessDone) {
			errs = append(errs, os.RemoveAll(dir))
		}
	}
	return errors.Join(errs...)
}
