package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/moby/buildkit/client"
)

// stopGrace is the time that buildkitd gets to end before it is killed.
const stopGrace = 10 * time.Second

// lockFD is the file descriptor of run.lock in a supervisor, the first one after the
// standard streams.
const lockFD = 3

// Use returns a lease on the daemon as soon as that answers. If no daemon runs, Use
// starts one, and calls starting just before.
//
// Use returns a [*MissingError] if a program is missing, and a [*StartError] if the
// daemon does not start.
func Use(ctx context.Context, s Settings, starting func()) (*Lease, error) {
	p, err := find(exec.LookPath, os.Geteuid() == 0)
	if err != nil {
		return nil, err
	}
	if err := makeStateDir(s.Dir); err != nil {
		return nil, err
	}
	use, err := openLock(s.useLock())
	if err != nil {
		return nil, err
	}
	if err := s.ensure(ctx, use, p, starting); err != nil {
		return nil, errors.Join(err, use.Close())
	}
	return &Lease{Address: s.Address(), Log: s.Log(), release: func() error {
		// The new time tells the supervisor that the daemon was in use.
		now := time.Now()
		return errors.Join(os.Chtimes(s.useLock(), now, now), use.Close())
	}}, nil
}

// ensure locks the lease, starts the daemon if necessary, and waits until it answers.
func (s Settings) ensure(ctx context.Context, use *os.File, p programs, starting func()) error {
	unresponsive := errors.New("unresponsive")
	// Before that, a stopping daemon has to end.
	ctx, cancel := context.WithTimeoutCause(ctx, s.Start+2*stopGrace, unresponsive)
	defer cancel()
	err := poll(ctx, func() (bool, error) {
		err := tryLock(use, syscall.LOCK_SH)
		return err == nil, unlessHeld(err)
	})
	if err != nil {
		return err
	}
	var started bool
	err = poll(ctx, func() (bool, error) {
		if ping(ctx, s.socket()) == nil {
			return true, nil
		}
		run, err := s.lockRun()
		if err != nil {
			return false, unlessHeld(err)
		}
		if started {
			return false, errors.Join(s.startError("did not start"), run.Close())
		}
		started = true
		starting()
		return false, errors.Join(s.start(ctx, run, p), run.Close())
	})
	if errors.Is(err, unresponsive) {
		return s.startError("does not answer")
	}
	return err
}

// unlessHeld returns err, or nil for errHeld, after which the caller tries again.
func unlessHeld(err error) error {
	if errors.Is(err, errHeld) {
		return nil
	}
	return err
}

// lockRun locks run.lock. It returns errHeld while a daemon runs.
func (s Settings) lockRun() (*os.File, error) {
	f, err := openLock(s.runLock())
	if err != nil {
		return nil, err
	}
	if err := tryLock(f, syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// start starts a supervisor, which inherits the lock file and outlives this process.
// It does not wait for the daemon.
func (s Settings) start(ctx context.Context, run *os.File, p programs) (err error) {
	if dir := filepath.Dir(s.socket()); dir != s.Dir {
		if err := makeSocketDir(dir); err != nil {
			return err
		}
	}
	log, err := s.newLog()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if err := closeInheritedOnExec(); err != nil {
		return err
	}
	command, err := s.supervisor(p)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), command[0], command[1:]...)
	cmd.Dir = s.Dir
	cmd.Env = environment(os.Environ())
	if p.rootlesskit != "" && os.Getenv("XDG_RUNTIME_DIR") == "" {
		// Without the variable, as in a cron job, runc uses root's directory.
		if err := os.MkdirAll(s.runtimeDir(), 0o700); err != nil {
			return err
		}
		cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR="+s.runtimeDir())
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{run}
	// In its own session the supervisor gets neither Ctrl-C nor the terminal's hangup.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the private daemon: %w", err)
	}
	// Reap the process. The lock shows whether it still runs.
	go func() { _ = cmd.Wait() }()
	return nil
}

// supervisor returns the supervisor's command line: the settings as flags, followed by
// the daemon's own command line.
func (s Settings) supervisor(p programs) ([]string, error) {
	command := s.Supervisor
	if command == nil {
		exe, err := os.Executable()
		if err != nil {
			return nil, err
		}
		command = []string{exe, SupervisorCommand}
	}
	flags := []string{"--dir=" + s.Dir, "--idle=" + s.Idle.String(), "--start=" + s.Start.String(), "--"}
	return slices.Concat(command, flags, p.command(s)), nil
}

// ping returns nil if a daemon answers at the socket.
func ping(ctx context.Context, socket string) error {
	// Dial first: the client would keep trying on a socket without a daemon.
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	if err := conn.Close(); err != nil {
		return err
	}
	c, err := client.New(ctx, "unix://"+socket)
	if err != nil {
		return err
	}
	_, err = c.ListWorkers(ctx)
	return errors.Join(err, c.Close())
}
