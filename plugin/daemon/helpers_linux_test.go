package daemon

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// testSettings returns settings for a daemon that the test has to stop.
func testSettings(dir string) Settings {
	return Settings{Dir: dir, Idle: time.Minute, Start: 30 * time.Second, Supervisor: []string{"/proc/self/exe", SupervisorCommand}}
}

// newSettings returns settings for a daemon in a new directory, puts buildkitd and a
// runtime on PATH, and stops the daemon at the end of the test.
func newSettings(t *testing.T) Settings {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	putOnPath(t, map[string]string{"buildkitd": exe})
	s := testSettings(filepath.Join(t.TempDir(), "state"))
	t.Cleanup(func() { stopDaemon(t, s) })
	return s
}

// putOnPath sets PATH to a directory with links to programs, a fake runtime and a
// fake rootlesskit.
func putOnPath(t *testing.T, programs map[string]string) {
	t.Helper()
	bin := t.TempDir()
	ociRuntime, err := exec.LookPath("true")
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range programs {
		if err := os.Symlink(target, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(ociRuntime, filepath.Join(bin, "runc")); err != nil {
		t.Fatal(err)
	}
	script(t, filepath.Join(bin, "rootlesskit"), `exec "$@"`)
	// The system's directories have sh and mount.
	t.Setenv("PATH", bin+":/usr/bin:/bin")
}

// script writes a shell script.
func script(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// await waits until check returns nil, for 30 seconds at most.
func await(t *testing.T, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var last error
	if err := poll(ctx, func() (bool, error) {
		last = check()
		return last == nil, nil
	}); err != nil {
		t.Fatal(last)
	}
}

// checkStopped returns an error while a supervisor or a daemon runs.
func checkStopped(s Settings) error {
	run, err := s.lockRun()
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("%s: %w", s.runLock(), err)
	}
	return run.Close()
}

// supervisorPID reads the supervisor's process ID.
func supervisorPID(s Settings) (int, error) {
	data, err := os.ReadFile(s.pidFile())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(data)))
}

// stopDaemon ends the daemon, if one runs, and waits for its end.
func stopDaemon(t *testing.T, s Settings) {
	t.Helper()
	await(t, func() error {
		if checkStopped(s) == nil {
			return nil
		}
		pid, err := supervisorPID(s)
		if err != nil {
			return err
		}
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		return checkStopped(s)
	})
}

// starts counts the daemons that were started.
func starts(t *testing.T, s Settings) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.Dir, "starts"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(data, []byte("\n"))
}

// mustUse takes a lease, and reports whether that started the daemon.
func mustUse(t *testing.T, s Settings) (lease *Lease, started bool) {
	t.Helper()
	lease, err := Use(t.Context(), s, func() { started = true })
	if err != nil {
		t.Fatal(err)
	}
	return lease, started
}

func closeLease(t *testing.T, lease *Lease) {
	t.Helper()
	if err := lease.Close(); err != nil {
		t.Error(err)
	}
}

// process is another process that uses the daemon.
type process struct {
	cmd    *exec.Cmd
	in     func() error // closes its standard input
	out    *bufio.Reader
	stderr *bytes.Buffer
}

func startUser(t *testing.T, s Settings) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "user", s.Dir)
	stderr := &bytes.Buffer{}
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &process{cmd: cmd, in: in.Close, out: bufio.NewReader(out), stderr: stderr}
}

func (p *process) end(t *testing.T) {
	t.Helper()
	if err := p.in(); err != nil {
		t.Error(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, p.stderr)
	}
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

// childOf finds the one child of a process (proc_pid_stat(5)).
func childOf(t *testing.T, pid int) int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		// A process may have ended since it was listed.
		stat, _ := os.ReadFile(path)
		_, rest, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); len(f) < 2 || f[1] != strconv.Itoa(pid) {
			continue
		}
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		return child
	}
	t.Fatalf("process %d has no child", pid)
	return 0
}
