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

// makeStateDir makes the state directory. Only the user may access it, because a
// process that can reach the daemon's socket has all of the daemon's rights.
func makeStateDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the state directory of the private daemon: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("making the state directory of the private daemon: %w", err)
	}
	// root with another user's HOME would lock that user out of the daemon.
	if err := checkOwned(dir, info); err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return os.Chmod(dir, 0o700)
	}
	return nil
}

// makeSocketDir makes the directory of a socket outside of the state directory. Its
// parent is writable by everyone, so an existing directory must belong to the user.
func makeSocketDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err == nil || !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if err := checkOwned(dir, info); err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("other users can access %s; set XDG_STATE_HOME to a directory with a shorter path", dir)
	}
	return nil
}

// checkOwned returns an error unless path is a directory that belongs to the user.
func checkOwned(path string, info fs.FileInfo) error {
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", path)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to another user (UID %d)", path, stat.Uid)
	}
	return nil
}

// closeInheritedOnExec marks the files that this process inherited as close-on-exec,
// except for the standard streams. Go marks only the files that it opens itself. An
// inherited pipe would stay open for as long as the daemon runs, and its reader would
// wait for that time.
func closeInheritedOnExec() error {
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

// newLog opens an empty log, and keeps the previous one with the suffix ".1".
func (s Settings) newLog() (*os.File, error) {
	if err := os.Rename(s.Log(), s.Log()+".1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(s.Log(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}

// removeRunFiles removes the daemon's sockets and, last, the file with the
// supervisor's process ID. buildkitd may have removed some of them itself.
func (s Settings) removeRunFiles() {
	_ = os.Remove(s.socket())
	_ = os.Remove(s.traceSocket())
	if dir := filepath.Dir(s.socket()); dir != s.Dir {
		_ = os.Remove(dir)
	}
	_ = os.Remove(s.pidFile())
}
