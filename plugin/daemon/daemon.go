// Package daemon runs a BuildKit daemon of the user's own, for machines that
// have buildkitd and an OCI runtime, and no builder.
//
// There is one daemon for a state folder. [Use] returns a [Lease] on it, and
// starts it first where none runs; [Supervise] is the process that is started
// then: it runs buildkitd and stops it when nobody has held a lease for a while.
//
// Two lock files (flock(2)) in the state folder hold this together. The kernel
// releases them however a process ends, so that nothing has to be cleaned up
// after a crash:
//
//   - "run.lock" is held by the supervisor and by buildkitd, from before they
//     start until both have ended. Whoever gets the lock starts a supervisor and
//     hands the lock on to it, open: there is no moment for a second one.
//   - "use.lock" is shared by all leases. The supervisor stops the daemon only
//     with the lock to itself, and keeps it to its end: who comes then waits,
//     and starts the next daemon.
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

// Name is what the daemon is called where a builder is named.
const Name = "embedded"

// SupervisorCommand is the command of the program that calls [Supervise].
const SupervisorCommand = "supervise-daemon"

// The variables that [ReadSettings] reads, beside those of the XDG Base
// Directory Specification.
const (
	idleVar  = "STAGEBUILD_DAEMON_IDLE_TIMEOUT"
	startVar = "STAGEBUILD_DAEMON_START_TIMEOUT"
)

// What the variables stand for when they are not set.
const (
	defaultIdle  = 10 * time.Minute
	defaultStart = time.Minute
)

// Settings say where the daemon lives and how long.
type Settings struct {
	// Dir is the state folder, an absolute path. It is made if need be, for
	// the user alone.
	Dir string
	// Idle is how long the daemon goes on without a lease.
	Idle time.Duration
	// Start is how long the daemon may take until it answers.
	Start time.Duration
	// Config is a buildkitd.toml, "" for none.
	Config string
	// Supervisor is the command line that calls [Supervise], which gets further
	// arguments; nil is this program with [SupervisorCommand].
	Supervisor []string
}

// ReadSettings reads the settings from the environment. A user without a home,
// and a variable that is no duration, is an error.
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
		return s, errors.New("no state folder: neither XDG_STATE_HOME nor HOME is an absolute path")
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
		return 0, fmt.Errorf(`%s=%s is no duration such as "10m" or "90s"`, name, text)
	}
	return d, nil
}

// Log is the file that the daemon's output goes to.
func (s Settings) Log() string { return s.file("buildkitd.log") }

// Address is where the daemon listens, as BUILDKIT_HOST takes it.
func (s Settings) Address() string { return "unix://" + s.socket() }

// maxSocketPath is the longest path, in bytes, that buildkitd listens on.
const maxSocketPath = 104

// socket is the path of the daemon's socket. It depends on the state folder
// alone, so that everyone who names the folder finds the daemon: below it, or
// in a folder of its own where that would be too long or no plain address.
func (s Settings) socket() string {
	const name = "buildkitd.sock"
	if path := s.file(name); len(path) <= maxSocketPath && !strings.ContainsFunc(path, unsafeInAddress) {
		return path
	}
	hash := fnv.New64a()
	hash.Write([]byte(s.Dir))
	dir := fmt.Sprintf("stagebuild-%d-%x", os.Geteuid(), hash.Sum64())
	// Not TMPDIR, which differs between the sessions of a user.
	return filepath.Join("/tmp", dir, name)
}

// unsafeInAddress reports whether a character could mean something else in an
// address than in a path: it is a URL for clients, and for buildkitd an entry of a
// list.
func unsafeInAddress(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !letter && (r < '0' || r > '9') && !strings.ContainsRune("/._-", r)
}

// traceSocket is where steps of builds send their traces to. buildkitd always
// listens there, beside the socket of its own.
func (s Settings) traceSocket() string {
	return filepath.Join(filepath.Dir(s.socket()), "otel.sock")
}

// The other files of the state folder. daemon.pid names the supervisor, so that
// its end is that of the daemon.
func (s Settings) runLock() string { return s.file("run.lock") }
func (s Settings) useLock() string { return s.file("use.lock") }
func (s Settings) pidFile() string { return s.file("daemon.pid") }
func (s Settings) root() string    { return s.file("buildkit") }

// runtimeDir is for a user who has no XDG_RUNTIME_DIR.
func (s Settings) runtimeDir() string { return s.file("run") }

func (s Settings) file(name string) string { return filepath.Join(s.Dir, name) }

// Lease keeps the daemon running. It is one user's, for one build.
type Lease struct {
	// Address is where the daemon listens, as BUILDKIT_HOST takes it.
	Address string
	// Log is the file that the daemon's output goes to.
	Log string

	release func() error
}

// Close gives the lease back.
func (l *Lease) Close() error { return l.release() }
