package daemon

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// pollInterval is how often a process looks whether what it waits for has come.
const pollInterval = 10 * time.Millisecond

// errHeld says that another process holds a lock.
var errHeld = errors.New("another process holds the lock")

// openLock opens a lock file, which it makes if need be. Closing the file
// releases its lock, unless another process has it open, too.
func openLock(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
}

// tryLock takes a lock on an open file, syscall.LOCK_SH or LOCK_EX. A lock that
// another process holds is errHeld.
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

// poll calls try until it reports that it is done or fails. The end of ctx is
// an error, its cause.
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
