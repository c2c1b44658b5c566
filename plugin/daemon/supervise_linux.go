package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// Supervise runs the daemon's command until there was no lease for the idle time,
// until the daemon ends by itself, or until ctx ends. The process that [Use] starts
// calls it. Its standard error is the daemon's log.
func Supervise(ctx context.Context, s Settings, command []string) error {
	run := os.NewFile(lockFD, s.runLock())
	if err := checkSameFile(run, s.runLock()); err != nil {
		return fmt.Errorf("only docker stagebuild can start this command, because it needs an inherited lock: %w", err)
	}
	use, err := openLock(s.useLock())
	if err != nil {
		return err
	}
	// Keep the locks until this process ends. The daemon has ended and its socket
	// is removed by then.
	defer runtime.KeepAlive(run)
	defer runtime.KeepAlive(use)
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	defer s.removeRunFiles()
	if err := os.WriteFile(s.pidFile(), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		return err
	}
	child, err := startChild(ctx, command, run)
	if err != nil {
		return err
	}
	// A daemon that never answered has no builds to finish: kill it at once.
	var grace time.Duration
	defer func() { child.stop(log, grace) }()
	log.Info("starting the private daemon", "pid", child.pid(), "idle", s.Idle)
	if err := s.awaitReady(ctx, child); err != nil {
		return err
	}
	grace = stopGrace
	reason, err := s.watch(ctx, use, child)
	log.Info("stopping the private daemon", "reason", reason)
	return err
}

// checkSameFile returns an error unless f is the file at path.
func checkSameFile(f *os.File, path string) error {
	open, err := f.Stat()
	if err != nil {
		return err
	}
	named, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !os.SameFile(open, named) {
		return fmt.Errorf("file descriptor %d is not %s", lockFD, path)
	}
	return nil
}

// awaitReady waits until the daemon answers. It returns an error if the daemon ends
// or the time limit passes first.
func (s Settings) awaitReady(ctx context.Context, child *child) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.Start, fmt.Errorf("buildkitd did not answer within %s", s.Start))
	defer cancel()
	return poll(ctx, func() (bool, error) {
		if ping(ctx, s.socket()) == nil {
			return true, nil
		}
		return false, child.exitError()
	})
}

// watch waits until the daemon has to stop, and returns the reason. If the daemon was
// idle, watch returns with use locked exclusively.
func (s Settings) watch(ctx context.Context, use *os.File, child *child) (reason string, err error) {
	tick := time.NewTicker(min(max(s.Idle/10, pollInterval), time.Minute))
	defer tick.Stop()
	var stamp, last time.Time
	for {
		select {
		case <-child.done:
			return "it ended", child.exitError()
		case <-ctx.Done():
			return context.Cause(ctx).Error(), nil
		case <-tick.C:
		}
		lockErr := tryLock(use, syscall.LOCK_EX)
		if unlessHeld(lockErr) != nil {
			return "no lock", lockErr
		}
		info, err := use.Stat()
		if err != nil {
			return "no lock", err
		}
		if lockErr != nil || info.ModTime() != stamp {
			stamp, last = info.ModTime(), time.Now()
		} else if time.Since(last) >= s.Idle {
			return "idle", nil
		}
		if err := unlock(use); err != nil {
			return "no lock", err
		}
	}
}

// child is the daemon's process: buildkitd, or rootlesskit which runs it.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// startChild starts the daemon's command. The process inherits the open lock file, so
// that the lock is held while buildkitd runs, even if this process is killed.
func startChild(ctx context.Context, command []string, run *os.File) (*child, error) {
	c, err := start(inNamespaces(newCommand(ctx, command, run)))
	if errors.Is(err, syscall.EPERM) {
		// Only root with enough rights can make namespaces. rootlesskit makes them
		// for other users.
		c, err = start(newCommand(ctx, command, run))
	}
	if err != nil {
		return nil, fmt.Errorf("starting the daemon: %w", err)
	}
	return c, nil
}

func newCommand(ctx context.Context, command []string, run *os.File) *exec.Cmd {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{run}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		// The daemon must end with its supervisor, which alone can stop it.
		Pdeathsig: syscall.SIGTERM,
		Setpgid:   true,
	}
	return cmd
}

// inNamespaces runs a command as the first process of a new process namespace, in a
// mount namespace of its own. If buildkitd is killed, the kernel ends its running
// steps and removes its mounts in the state directory. The mounts are slaves of those
// outside, so that a disk that is unmounted there does not stay busy.
func inNamespaces(cmd *exec.Cmd) *exec.Cmd {
	const script = `mount --make-rslave / && mount -t proc none /proc && exec "$0" "$@"`
	cmd.Args = append([]string{"sh", "-c", script, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS
	return cmd
}

// start starts a child.
func start(cmd *exec.Cmd) (*child, error) {
	c := &child{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends the death signal when the forking thread ends, so the
		// thread must live as long as the child (prctl(2), PR_SET_PDEATHSIG).
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // cmd.ProcessState has the result
			close(c.done)
		}
	}()
	return c, <-started
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// exitError returns an error if the process has ended.
func (c *child) exitError() error {
	select {
	case <-c.done:
		return fmt.Errorf("buildkitd ended: %s", c.cmd.ProcessState)
	default:
		return nil
	}
}

// stop terminates the process, and kills it after the grace period. It always kills
// the rest of the process group.
func (c *child) stop(log *slog.Logger, grace time.Duration) {
	if grace > 0 {
		c.terminate(log, grace)
	}
	if err := syscall.Kill(-c.pid(), syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		log.Error("killing the process group of buildkitd", "error", err)
	}
	<-c.done
}

// terminate sends SIGTERM and waits up to the grace period.
func (c *child) terminate(log *slog.Logger, grace time.Duration) {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		log.Error("stopping buildkitd", "error", err)
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
		log.Error("buildkitd did not stop in time and is killed", "limit", grace)
	}
}
