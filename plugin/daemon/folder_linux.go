package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// makeFolder makes the state folder, for the user alone: who can reach the
// daemon's socket can do what the daemon may do.
func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the state folder of the private daemon: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("the state folder of the private daemon: %w", err)
	}
	// As root with the HOME of a user one would take the daemon away from them.
	if err := ownFolder(dir, info); err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return os.Chmod(dir, 0o700)
	}
	return nil
}

// makeSocketFolder makes the folder of the socket, if that is not the state
// folder. It is in a folder that everyone can write to, and so it must be the
// user's own already if it is there.
func makeSocketFolder(dir string) error {
	if err := os.Mkdir(dir, 0o700); err == nil || !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if err := ownFolder(dir, info); err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s is open to other users: set XDG_STATE_HOME to a folder with a shorter path", dir)
	}
	return nil
}

// ownFolder returns an error for what is no folder of this user.
func ownFolder(path string, info fs.FileInfo) error {
	if !info.IsDir() {
		return fmt.Errorf("%s is no folder", path)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to another user (%d)", path, stat.Uid)
	}
	return nil
}

// keepToSelf has no file that this process was started with, beside the
// standard streams, passed on to the processes that it starts. Go does that for
// the files that it opens itself; a pipe from elsewhere would stay open as long as
// the daemon runs, and whoever reads it would wait.
func keepToSelf() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
	return nil
}

// freshLog opens an empty log. That of the daemon before is kept beside it.
func (s Settings) freshLog() (*os.File, error) {
	if err := os.Rename(s.Log(), s.Log()+".1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(s.Log(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}

// removeTraces removes what says that the daemon runs, the file with the
// supervisor's process last. Some of it buildkitd may have removed itself.
func (s Settings) removeTraces() {
	_ = os.Remove(s.socket())
	_ = os.Remove(s.traceSocket())
	if dir := filepath.Dir(s.socket()); dir != s.Dir {
		_ = os.Remove(dir)
	}
	_ = os.Remove(s.pidFile())
}
