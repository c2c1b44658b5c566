package daemon

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// pollInterval is the time between two calls of a condition that [poll] waits for.
const pollInterval = 10 * time.Millisecond

// errHeld is the error of a lock that another process holds.
var errHeld = errors.New("another process holds the lock")

// openLock opens a lock file, and creates it if it is missing. Closing the file
// releases its lock, unless another process has inherited the open file.
func openLock(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
}

// tryLock locks an open file, shared (syscall.LOCK_SH) or exclusively (LOCK_EX). It
// returns errHeld if another process holds the lock.
func tryLock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errHeld
		default:
			return err
		}
	}
}

// unlock releases the lock on an open file.
func unlock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }

// poll calls try until that is done or fails. If ctx ends first, poll returns the
// cause.
func poll(ctx context.Context, try func() (done bool, err error)) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		if done, err := try(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
