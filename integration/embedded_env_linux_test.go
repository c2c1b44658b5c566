package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagebuild/stagebuild/integration/harness"
)

// loner is a user of the plugin on a machine without a Docker Engine, with
// buildkitd and runc on PATH.
type loner struct {
	env   *harness.Env
	state string            // state folder of the private daemon
	vars  map[string]string // environment
	as    []string          // command line that runs another as the user, if they are not root
}

// newLoner makes a home for the user. The private daemon that they may start is
// stopped with the test.
func newLoner(t *testing.T) *loner {
	t.Helper()
	env, _ := productEnv(t)
	env.NeedOwnDaemon(t)
	// The name of a test's own folder would be too long for some sockets.
	home, err := os.MkdirTemp(env.Dir, "home") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	tools := filepath.Join(home, "tools")
	for _, dir := range []string{tools, filepath.Join(home, "buildx")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := env.LinkDaemon(t.Context(), tools); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(home, "buildx", "buildkitd.default.toml"), env.DaemonConfig())
	l := &loner{env: env, state: filepath.Join(home, "state", "stagebuild"), vars: map[string]string{
		"HOME": home, "XDG_STATE_HOME": filepath.Join(home, "state"), "BUILDX_CONFIG": filepath.Join(home, "buildx"),
		"DOCKER_HOST": "unix://" + filepath.Join(home, "none.sock"), "DOCKER_CONFIG": env.DockerConfig,
		"PATH": strings.Join([]string{tools, env.BinDir, "/usr/bin", "/bin"}, ":"),
		// Should a test not come to stopping it.
		"STAGEBUILD_DAEMON_IDLE_TIMEOUT": "2m",
	}}
	t.Cleanup(func() { l.stop(t) })
	return l
}

// command prepares a program of the environment with the user's variables and
// none of the environment's.
func (l *loner) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if l.as != nil {
		name, args = l.as[0], slices.Concat(l.as[1:], []string{name}, args)
	}
	cmd := l.env.Command(ctx, name, args...)
	cmd.Env = nil
	for name, value := range l.vars {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	slices.Sort(cmd.Env)
	return cmd
}

// run runs a program, and returns what it wrote and how it ended.
func (l *loner) run(t *testing.T, name string, args ...string) (harness.Output, error) {
	t.Helper()
	cmd := l.command(t.Context(), name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	return harness.Output{Stdout: stdout.String(), Stderr: stderr.String()}, err
}

// build builds a context into a folder, which it returns.
func (l *loner) build(t *testing.T, dir string, flags ...string) (out string, said harness.Output) {
	t.Helper()
	out = t.TempDir()
	args := append([]string{"build", "--progress=plain", "--output=type=local,dest=" + out}, flags...)
	said, err := l.run(t, "docker-stagebuild", append(args, dir)...)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, said.Stdout, said.Stderr)
	}
	return out, said
}

// supervisor is the process that runs the private daemon, 0 for none.
func (l *loner) supervisor() int {
	data, err := os.ReadFile(filepath.Join(l.state, "daemon.pid"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || !alive(pid) {
		return 0
	}
	return pid
}

// buildkitd is the process of the private daemon. The test fails without one.
func (l *loner) buildkitd(t *testing.T) int {
	t.Helper()
	supervisor := l.supervisor()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		// A process may have ended since it was listed.
		stat, _ := os.ReadFile(path)
		if fields := statFields(stat); supervisor == 0 || len(fields) < 2 || fields[1] != strconv.Itoa(supervisor) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		return pid
	}
	t.Fatalf("no private daemon runs in %s", l.state)
	return 0
}

// statFields are the fields of proc_pid_stat(5) from the third on: state, parent,
// process group, session.
func statFields(stat []byte) []string {
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.Fields(rest)
}

// alive says whether a process runs. One that has ended and that nobody has waited
// for does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	fields := statFields(stat)
	return len(fields) > 0 && fields[0] != "Z"
}

// stop ends the private daemon, if one runs, and waits for its end.
func (l *loner) stop(t *testing.T) {
	t.Helper()
	pid := l.supervisor()
	if pid == 0 {
		return
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Error(err)
	}
	await(t, func() error {
		if alive(pid) {
			return fmt.Errorf("the private daemon's supervisor (%d) goes on", pid)
		}
		return nil
	})
}

// await waits until check returns nil, for a minute at most.
func await(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for err := check(); err != nil; err = check() {
		select {
		case <-deadline.C:
			t.Fatal(err)
		case <-tick.C:
		}
	}
}
