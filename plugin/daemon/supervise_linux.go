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

// Supervise runs the daemon's command until nobody has held a lease for the idle
// time, until the daemon ends by itself, or until ctx ends. It is called in the
// process that [Use] starts, and writes to the daemon's log, standard error.
func Supervise(ctx context.Context, s Settings, command []string) error {
	run := os.NewFile(lockFD, s.runLock())
	if err := sameFile(run, s.runLock()); err != nil {
		return fmt.Errorf("this command is for the builds of docker stagebuild, which start it with a lock: %w", err)
	}
	use, err := openLock(s.useLock())
	if err != nil {
		return err
	}
	// The end of this process releases the locks: the daemon and its socket are
	// gone by then.
	defer runtime.KeepAlive(run)
	defer runtime.KeepAlive(use)
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	defer s.removeTraces()
	if err := os.WriteFile(s.pidFile(), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		return err
	}
	child, err := startChild(ctx, command, run)
	if err != nil {
		return err
	}
	// What never answered has nothing to finish.
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

// sameFile returns nil if the open file is the one at path.
func sameFile(f *os.File, path string) error {
	open, err := f.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !os.SameFile(open, there) {
		return fmt.Errorf("file descriptor %d is not %s", lockFD, path)
	}
	return nil
}

// awaitReady returns when the daemon answers.
func (s Settings) awaitReady(ctx context.Context, child *child) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.Start, fmt.Errorf("buildkitd did not answer within %s", s.Start))
	defer cancel()
	return poll(ctx, func() (bool, error) {
		if ready(ctx, s.socket()) == nil {
			return true, nil
		}
		return false, child.ended()
	})
}

// watch returns when the daemon is to stop, and why. If that is because it was
// idle, this process then has the lock on use to itself.
func (s Settings) watch(ctx context.Context, use *os.File, child *child) (reason string, err error) {
	tick := time.NewTicker(min(max(s.Idle/10, pollInterval), time.Minute))
	defer tick.Stop()
	var stamp, last time.Time
	for {
		select {
		case <-child.done:
			return "it ended", child.ended()
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

// child is the daemon's process, which may be rootlesskit around buildkitd.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// startChild starts the daemon's command with the lock open in it, so that the
// lock is held for as long as buildkitd runs, whatever becomes of this process.
func startChild(ctx context.Context, command []string, run *os.File) (*child, error) {
	c, err := start(inNamespaces(newCommand(ctx, command, run)))
	if errors.Is(err, syscall.EPERM) {
		// Not root, or root without the rights: rootlesskit makes namespaces.
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
		// Without its supervisor nobody would stop the daemon.
		Pdeathsig: syscall.SIGTERM,
		Setpgid:   true,
	}
	return cmd
}

// inNamespaces makes a command the first process of a process namespace, with
// mounts of its own. What a killed buildkitd leaves behind, running steps and
// mounts in the state folder, the kernel ends with it. What is unmounted outside
// is unmounted inside, too, so that no disk stays busy.
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
		// The death signal is about the thread that forked, so that thread has to
		// live as long as the child (prctl(2), PR_SET_PDEATHSIG).
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its state
			close(c.done)
		}
	}()
	return c, <-started
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// ended returns an error if the process has ended.
func (c *child) ended() error {
	select {
	case <-c.done:
		return fmt.Errorf("buildkitd ended: %s", c.cmd.ProcessState)
	default:
		return nil
	}
}

// stop ends the process, and kills it if it takes longer than grace. What is left
// of its process group is killed in any case.
func (c *child) stop(log *slog.Logger, grace time.Duration) {
	if grace > 0 {
		c.terminate(log, grace)
	}
	if err := syscall.Kill(-c.pid(), syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		log.Error("killing what is left of buildkitd", "error", err)
	}
	<-c.done
}

// terminate asks the process to end, and waits for it.
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
