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

// stopGrace is how long buildkitd may take to end before it is killed.
const stopGrace = 10 * time.Second

// lockFD is the file descriptor of run.lock in a supervisor: the first after
// the standard streams.
const lockFD = 3

// Use returns a lease on the daemon, and starts it where none runs: it calls
// starting just before. It returns when the daemon answers.
//
// A machine without the programs is a [*MissingError], a daemon that does not
// come up a [*StartError].
func Use(ctx context.Context, s Settings, starting func()) (*Lease, error) {
	p, err := find(exec.LookPath, os.Geteuid() == 0)
	if err != nil {
		return nil, err
	}
	if err := makeFolder(s.Dir); err != nil {
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
		// The supervisor sees that the daemon was used since it last looked.
		now := time.Now()
		return errors.Join(os.Chtimes(s.useLock(), now, now), use.Close())
	}}, nil
}

// ensure takes the lease and waits until the daemon answers.
func (s Settings) ensure(ctx context.Context, use *os.File, p programs, starting func()) error {
	unresponsive := errors.New("unresponsive")
	// A daemon that is being stopped comes first.
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
		if ready(ctx, s.socket()) == nil {
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

// unlessHeld is err without errHeld, which is waited for.
func unlessHeld(err error) error {
	if errors.Is(err, errHeld) {
		return nil
	}
	return err
}

// lockRun takes the lock that a running daemon holds.
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

// start starts a supervisor and hands it the lock. It does not wait for the
// daemon, which goes on without this process.
func (s Settings) start(ctx context.Context, run *os.File, p programs) (err error) {
	if dir := filepath.Dir(s.socket()); dir != s.Dir {
		if err := makeSocketFolder(dir); err != nil {
			return err
		}
	}
	log, err := s.freshLog()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if err := keepToSelf(); err != nil {
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
		// Without one, as in a cron job, runc keeps its state where root does.
		if err := os.MkdirAll(s.runtimeDir(), 0o700); err != nil {
			return err
		}
		cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR="+s.runtimeDir())
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{run}
	// A session of its own: no Ctrl-C and no hangup of the terminal gets there.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the private daemon: %w", err)
	}
	// How it ends is seen from the lock. This is for the process table.
	go func() { _ = cmd.Wait() }()
	return nil
}

// supervisor is the command line of the supervisor: the settings as flags, and
// after them the daemon's own command line.
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

// ready returns nil if a daemon answers at the socket.
func ready(ctx context.Context, socket string) error {
	// A socket without a daemon refuses at once. The client would try for long.
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
