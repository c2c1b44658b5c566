package daemon

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Name is the builder name that selects the daemon.
const Name = "embedded"

// SupervisorCommand is the command of the program that calls [Supervise].
const SupervisorCommand = "supervise-daemon"

// The variables that [ReadSettings] reads, in addition to those of the XDG Base
// Directory Specification.
const (
	idleVar  = "STAGEBUILD_DAEMON_IDLE_TIMEOUT"
	startVar = "STAGEBUILD_DAEMON_START_TIMEOUT"
)

// The values of unset variables.
const (
	defaultIdle  = 10 * time.Minute
	defaultStart = time.Minute
)

// Settings are the daemon's state directory, configuration and time limits.
type Settings struct {
	// Dir is the absolute path of the state directory. [Use] makes it if it is
	// missing. Only the user can access it.
	Dir string
	// Idle is the time without a lease after which the daemon stops.
	Idle time.Duration
	// Start is the time until the daemon has to answer.
	Start time.Duration
	// Config is the path of a buildkitd.toml, or "" for none.
	Config string
	// Supervisor is the command line that calls [Supervise], to which [Use] appends
	// arguments. Nil is this program with [SupervisorCommand].
	Supervisor []string
}

// ReadSettings reads the settings from the environment. It returns an error if the
// user has no home directory or if a variable has no valid duration.
func ReadSettings(getenv func(string) string) (Settings, error) {
	s := Settings{}
	// "If an implementation encounters a relative path in any of these variables
	// it should consider the path invalid and ignore it."
	switch state, home := getenv("XDG_STATE_HOME"), getenv("HOME"); {
	case filepath.IsAbs(state):
		s.Dir = filepath.Join(state, "stagebuild")
	case filepath.IsAbs(home):
		s.Dir = filepath.Join(home, ".local", "state", "stagebuild")
	default:
		return s, errors.New("there is no state directory; set XDG_STATE_HOME or HOME to an absolute path")
	}
	var err error
	if s.Idle, err = duration(getenv, idleVar, defaultIdle); err != nil {
		return s, err
	}
	s.Start, err = duration(getenv, startVar, defaultStart)
	return s, err
}

func duration(getenv func(string) string, name string, byDefault time.Duration) (time.Duration, error) {
	text := getenv(name)
	if text == "" {
		return byDefault, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s=%q is not a duration; write 10m or 90s, for example", name, text)
	}
	return d, nil
}

// Log returns the path of the file with the daemon's output.
func (s Settings) Log() string { return s.file("buildkitd.log") }

// Address returns the daemon's address in the form of BUILDKIT_HOST.
func (s Settings) Address() string { return "unix://" + s.socket() }

// maxSocketPath is the longest path, in bytes, that buildkitd listens on.
const maxSocketPath = 104

// socket returns the path of the daemon's socket. The path depends only on the state
// directory, so that every process with that directory finds the daemon. The socket
// is in the state directory, or in a directory of its own if the path would be too
// long or has characters that are special in an address.
func (s Settings) socket() string {
	const name = "buildkitd.sock"
	if path := s.file(name); len(path) <= maxSocketPath && !strings.ContainsFunc(path, isUnsafeInAddress) {
		return path
	}
	hash := fnv.New64a()
	hash.Write([]byte(s.Dir))
	dir := fmt.Sprintf("stagebuild-%d-%x", os.Geteuid(), hash.Sum64())
	// TMPDIR would differ between sessions of the same user.
	return filepath.Join("/tmp", dir, name)
}

// isUnsafeInAddress reports whether a character of a path may be special in an
// address. Clients parse the address as a URL, buildkitd as an entry of a list.
func isUnsafeInAddress(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !letter && (r < '0' || r > '9') && !strings.ContainsRune("/._-", r)
}

// traceSocket returns the path of the socket that build steps send their traces to.
// buildkitd always listens on it.
func (s Settings) traceSocket() string {
	return filepath.Join(filepath.Dir(s.socket()), "otel.sock")
}

// The other files of the state directory. daemon.pid has the process ID of the
// supervisor: when the supervisor ends, the daemon ends.
func (s Settings) runLock() string { return s.file("run.lock") }
func (s Settings) useLock() string { return s.file("use.lock") }
func (s Settings) pidFile() string { return s.file("daemon.pid") }
func (s Settings) root() string    { return s.file("buildkit") }

// runtimeDir returns the directory that replaces an unset XDG_RUNTIME_DIR.
func (s Settings) runtimeDir() string { return s.file("run") }

func (s Settings) file(name string) string { return filepath.Join(s.Dir, name) }

// Lease keeps the daemon running for one build.
type Lease struct {
	// Address is the daemon's address in the form of BUILDKIT_HOST.
	Address string
	// Log is the path of the file with the daemon's output.
	Log string

	release func() error
}

// Close releases the lease.
func (l *Lease) Close() error { return l.release() }
