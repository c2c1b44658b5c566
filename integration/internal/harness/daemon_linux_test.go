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

// TestNothingOutlivesTheDaemon kills a daemon during a RUN instruction: its
// processes and mounts end too.
func TestNothingOutlivesTheDaemon(t *testing.T) {
	env := startOwn(t)

	dir := t.TempDir()
	mark := fmt.Sprintf("%d.%d", 600, os.Getpid()) // seconds; no other process sleeps as long
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
		t.Errorf("the environment's directory was not removed: %v", err)
	}
}

// TestDaemonListensInItsFolder checks that all sockets of a daemon are in its directory.
// Test packages start daemons at the same time, which would replace each other's sockets
// at buildkitd's default paths.
func TestDaemonListensInItsFolder(t *testing.T) {
	env := startOwn(t)

	sockets := listening(t, env.daemon.proc.cmd.Process.Pid)
	if len(sockets) < 2 { // for its API, and for traces
		t.Errorf("the daemon listens on %q only", sockets)
	}
	for _, path := range sockets {
		if !strings.HasPrefix(path, env.Dir+"/") {
			t.Errorf("the daemon listens on %s, which is not in its directory %s", path, env.Dir)
		}
	}
}

// listening returns the paths of the Unix sockets that the process pid listens
// on (proc_net(5): the inode is the seventh column, the path the eighth).
func listening(t *testing.T, pid int) []string {
	t.Helper()
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]bool{}
	for _, fd := range fds {
		// One may have been closed since it was listed.
		if target, err := os.Readlink(fd); err == nil {
			open[target] = true
		}
	}
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/unix", pid))
	if err != nil {
		t.Fatal(err)
	}
	const accepting = "00010000" // __SO_ACCEPTCON
	var paths []string
	for line := range strings.Lines(string(table)) {
		column := strings.Fields(line)
		if len(column) == 8 && column[3] == accepting && open["socket:["+column[6]+"]"] {
			paths = append(paths, column[7])
		}
	}
	return paths
}

// startOwn starts an environment with a daemon of its own, which ends with the test.
func startOwn(t *testing.T) *Env {
	t.Helper()
	env := new(Suite).Env(t)
	t.Cleanup(func() {
		if err := env.Close(); err != nil {
			t.Error(err)
		}
	})
	env.NeedOwnDaemon(t)
	return env
}

// running reports whether a process with the last argument arg runs.
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
