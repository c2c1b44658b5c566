package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What a RUN instruction started, and what was mounted for it, ends with a
// daemon that is killed in the middle of it.
func TestNothingOutlivesTheDaemon(t *testing.T) {
	env, err := Start(t.Context(), Options{})
	if _, ok := errors.AsType[*UnavailableError](err); ok {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := env.Close(); err != nil {
			t.Error(err)
		}
	}()
	env.NeedOwnDaemon(t)

	dir := t.TempDir()
	mark := fmt.Sprintf("%d.%d", 600, os.Getpid()) // seconds to sleep, which nobody else sleeps
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM busybox\nRUN sleep "+mark+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	build := env.Command(ctx, "buildctl", "build", "--frontend", "dockerfile.v0", "--local", "context="+dir, "--local", "dockerfile="+dir)
	if err := build.Start(); err != nil {
		t.Fatal(err)
	}
	poll(t, func() error {
		if !running(t, mark) {
			return errors.New("RUN sleep does not run")
		}
		return nil
	})
	if err := env.close(time.Millisecond); err == nil || !strings.Contains(err.Error(), "was killed") {
		t.Errorf("closing: %v; want that the daemon was killed", err)
	}
	if err := build.Wait(); err == nil {
		t.Error("the build ended well")
	}
	poll(t, func() error {
		if running(t, mark) {
			return errors.New("RUN sleep still runs")
		}
		return nil
	})
	if _, err := os.Stat(env.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the environment's folder is still there: %v", err)
	}
}

// running says whether a process runs whose last argument is arg.
func running(t *testing.T, arg string) bool {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range lines {
		// A process may have ended since it was listed.
		data, err := os.ReadFile(file)
		if err == nil && bytes.HasSuffix(data, []byte("\x00"+arg+"\x00")) {
			return true
		}
	}
	return false
}
