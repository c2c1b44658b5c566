package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestStartAndReuse(t *testing.T) {
	s := newSettings(t)
	first, started := mustUse(t, s)
	if !started || first.Address != s.Address() {
		t.Errorf("started: %v, address %s", started, first.Address)
	}
	closeLease(t, first)
	second, started := mustUse(t, s)
	closeLease(t, second)
	if started || starts(t, s) != 1 {
		t.Errorf("the second time the daemon was started: %v, in all %d times", started, starts(t, s))
	}
	info, err := os.Stat(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the state directory's mode is %v", info.Mode())
	}
}

// TestOneDaemonForAll starts many processes that use the daemon at the same moment.
func TestOneDaemonForAll(t *testing.T) {
	s := newSettings(t)
	const rounds, processes = 15, 4
	for round := 1; round <= rounds; round++ {
		var users [processes]*process
		for i := range users {
			users[i] = startUser(t, s)
		}
		for _, u := range users {
			if line, err := u.out.ReadString('\n'); err != nil {
				t.Fatalf("round %d: %v\n%s", round, err, u.stderr)
			} else if line != s.Address()+"\n" {
				t.Fatalf("round %d: a process uses %s", round, line)
			}
		}
		for _, u := range users {
			u.end(t)
		}
		if n := starts(t, s); n != round {
			t.Fatalf("round %d: %d daemons were started", round, n)
		}
		stopDaemon(t, s)
	}
}

func TestIdleStop(t *testing.T) {
	s := newSettings(t)
	s.Idle = 50 * time.Millisecond
	lease, _ := mustUse(t, s)
	// The supervisor checks many times while the lease is held.
	deadline := time.Now().Add(10 * s.Idle)
	await(t, func() error {
		if time.Now().Before(deadline) {
			return errors.New("not long enough yet")
		}
		return nil
	})
	if err := ping(t.Context(), s.socket()); err != nil {
		t.Fatalf("the daemon stopped while it was in use: %v", err)
	}
	closeLease(t, lease)
	await(t, func() error { return checkStopped(s) })
	if _, err := os.Stat(s.socket()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
	lease, started := mustUse(t, s)
	closeLease(t, lease)
	if !started {
		t.Error("the daemon was not started again")
	}
	await(t, func() error { return checkStopped(s) })
}

// TestUseWhileStopping requests a lease on a daemon that is stopping.
func TestUseWhileStopping(t *testing.T) {
	s := newSettings(t)
	s.Idle = 0
	lease, _ := mustUse(t, s)
	stay := filepath.Join(s.Dir, "stay")
	if err := os.WriteFile(stay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	closeLease(t, lease)
	await(t, func() error {
		log, err := os.ReadFile(s.Log())
		if err == nil && !bytes.Contains(log, []byte("reason=idle")) {
			err = fmt.Errorf("the daemon is not being stopped:\n%s", log)
		}
		return err
	})
	// The daemon still answers, but would stop during a build that starts now.
	if err := ping(t.Context(), s.socket()); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*pollInterval)
	defer cancel()
	if _, err := Use(ctx, s, func() {}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a lease on a stopping daemon: %v", err)
	}
	if err := os.Remove(stay); err != nil {
		t.Fatal(err)
	}
	lease, started := mustUse(t, s)
	closeLease(t, lease)
	if !started {
		t.Error("the daemon was not started again")
	}
	await(t, func() error { return checkStopped(s) })
}

// TestUseWithoutPause requests leases without a pause from a daemon that has no idle
// time.
func TestUseWithoutPause(t *testing.T) {
	s := newSettings(t)
	s.Idle = 0
	var wg sync.WaitGroup
	var started atomic.Int32
	for range 3 {
		wg.Go(func() {
			for range 15 {
				lease, err := Use(t.Context(), s, func() { started.Add(1) })
				if err != nil {
					t.Error(err)
					return
				}
				if err := ping(t.Context(), s.socket()); err != nil {
					t.Errorf("the daemon does not answer while a lease is held: %v", err)
				}
				closeLease(t, lease)
			}
		})
	}
	wg.Wait()
	await(t, func() error { return checkStopped(s) })
	if n := starts(t, s); int(started.Load()) != n {
		t.Errorf("%d daemons were started, and %d starts reported", n, started.Load())
	}
}

func TestKilled(t *testing.T) {
	for _, victim := range []string{"daemon", "supervisor", "both"} {
		t.Run(victim, func(t *testing.T) {
			s := newSettings(t)
			lease, _ := mustUse(t, s)
			closeLease(t, lease)
			supervisor, err := supervisorPID(s)
			if err != nil {
				t.Fatal(err)
			}
			pid := childOf(t, supervisor)
			if victim != "daemon" {
				kill(t, supervisor)
			}
			if victim == "supervisor" {
				// The kernel signals the daemon, which takes a moment to end.
				await(t, func() error {
					if ping(t.Context(), s.socket()) == nil {
						return errors.New("the daemon goes on without its supervisor")
					}
					return nil
				})
			} else {
				kill(t, pid)
			}
			lease, started := mustUse(t, s)
			closeLease(t, lease)
			if !started || starts(t, s) != 2 {
				t.Errorf("started again: %v, in all %d times", started, starts(t, s))
			}
		})
	}
}

func TestDoesNotStart(t *testing.T) {
	for _, test := range []struct {
		name, buildkitd string
		limit           time.Duration
		log             string
	}{
		{"ends at once", "echo no such thing >&2; exit 3", 30 * time.Second, "no such thing"},
		{"never answers", "echo starting; /bin/sleep 600", 200 * time.Millisecond, "buildkitd did not answer within 200ms"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "buildkitd")
			script(t, path, test.buildkitd)
			putOnPath(t, map[string]string{"buildkitd": path})
			s := testSettings(filepath.Join(t.TempDir(), "state"))
			s.Start = test.limit
			_, err := Use(t.Context(), s, func() {})
			failed, ok := errors.AsType[*StartError](err)
			if !ok || !strings.Contains(strings.Join(failed.Tail, "\n"), test.log) || failed.Log != s.Log() {
				t.Fatalf("%v; want the log, with %q", err, test.log)
			}
			if err := checkStopped(s); err != nil {
				t.Errorf("a process is left behind: %v", err)
			}
			for _, file := range []string{s.socket(), s.pidFile()} {
				if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s is left behind: %v", file, err)
				}
			}
		})
	}
}

// TestInterrupted cancels the context while Use waits for the daemon.
func TestInterrupted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "buildkitd")
	script(t, path, "exec /bin/sleep 600")
	putOnPath(t, map[string]string{"buildkitd": path})
	s := testSettings(filepath.Join(t.TempDir(), "state"))
	t.Cleanup(func() { stopDaemon(t, s) })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, err := Use(ctx, s, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("Use() = %v, want canceled", err)
	}
}

// TestHoldsNothingOpen reads a pipe of a process that started the daemon. The pipe
// must end with the process.
func TestHoldsNothingOpen(t *testing.T) {
	s := newSettings(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "user", s.Dir)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = w, w, []*os.File{w}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := out.ReadFrom(r); err != nil {
		t.Errorf("the pipe stays open: %v", err)
	}
	if out.String() != s.Address()+"\n" {
		t.Errorf("the process wrote %q", out.String())
	}
}

func TestLongStateDir(t *testing.T) {
	s := newSettings(t)
	s.Dir = filepath.Join(s.Dir, strings.Repeat("long", 25))
	t.Cleanup(func() { stopDaemon(t, s) })
	lease, _ := mustUse(t, s)
	dir := filepath.Dir(s.socket())
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(lease.Address, "unix:///tmp/stagebuild-") || info.Mode().Perm() != 0o700 {
		t.Errorf("the socket is %s, in a directory with mode %v", lease.Address, info.Mode())
	}
	closeLease(t, lease)
	stopDaemon(t, s)
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket's directory is left behind: %v", err)
	}
}

func TestSocketDirOfOthers(t *testing.T) {
	parent := t.TempDir()
	open := filepath.Join(parent, "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := makeSocketDir(open); err != nil {
		t.Errorf("a directory of this user: %v", err)
	}
	if err := os.Chmod(open, 0o770); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(parent, "link")
	if err := os.Symlink(parent, link); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{open, link} {
		if err := makeSocketDir(dir); err == nil {
			t.Errorf("%s is taken for a private directory", dir)
		}
	}
}

func TestSuperviseNeedsTheLock(t *testing.T) {
	s := testSettings(t.TempDir())
	command, err := s.supervisor(programs{buildkitd: "true"})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "only docker stagebuild can start this command") {
		t.Errorf("%v: %s", err, out)
	}
}
