package builders

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

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// standaloneUser is a user on a machine without a Docker Engine, with buildkitd and runc
// on PATH.
type standaloneUser struct {
	env   *harness.Env
	state string            // state directory of the private daemon
	vars  map[string]string // environment
	as    []string          // command line that runs a command as the user, unless that is root
}

// newStandaloneUser creates a home for the user. Cleanup stops the private daemon that the
// user may have started.
func newStandaloneUser(t *testing.T) *standaloneUser {
	t.Helper()
	env, _ := suite.Product(t)
	env.NeedOwnDaemon(t)
	// The name of the test's own directory is too long for some sockets.
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
	testkit.WriteFile(t, filepath.Join(home, "buildx", "buildkitd.default.toml"), env.DaemonConfig())
	u := &standaloneUser{env: env, state: filepath.Join(home, "state", "stagebuild"), vars: map[string]string{
		"HOME": home, "XDG_STATE_HOME": filepath.Join(home, "state"), "BUILDX_CONFIG": filepath.Join(home, "buildx"),
		"DOCKER_HOST": "unix://" + filepath.Join(home, "none.sock"), "DOCKER_CONFIG": env.DockerConfig,
		"PATH": strings.Join([]string{tools, env.BinDir, "/usr/bin", "/bin"}, ":"),
		// In case the cleanup does not run.
		"STAGEBUILD_DAEMON_IDLE_TIMEOUT": "2m",
	}}
	t.Cleanup(func() { u.stop(t) })
	return u
}

// command prepares a program of the environment that runs only with the user's variables.
func (u *standaloneUser) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if u.as != nil {
		name, args = u.as[0], slices.Concat(u.as[1:], []string{name}, args)
	}
	cmd := u.env.Command(ctx, name, args...)
	cmd.Env = nil
	for name, value := range u.vars {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	slices.Sort(cmd.Env)
	return cmd
}

// run runs a program and returns its output and its error.
func (u *standaloneUser) run(t *testing.T, name string, args ...string) (harness.Output, error) {
	t.Helper()
	cmd := u.command(t.Context(), name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	return harness.Output{Stdout: stdout.String(), Stderr: stderr.String()}, err
}

// build builds a context into a new directory, and returns that and the output.
func (u *standaloneUser) build(t *testing.T, dir string, flags ...string) (out string, printed harness.Output) {
	t.Helper()
	out = t.TempDir()
	args := append([]string{"build", "--progress=plain", "--output=type=local,dest=" + out}, flags...)
	printed, err := u.run(t, "docker-stagebuild", append(args, dir)...)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, printed.Stdout, printed.Stderr)
	}
	return out, printed
}

// supervisorPID returns the process that supervises the private daemon, or 0 if none runs.
func (u *standaloneUser) supervisorPID() int {
	data, err := os.ReadFile(filepath.Join(u.state, "daemon.pid"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || !isRunning(pid) {
		return 0
	}
	return pid
}

// daemonPID returns the process of the private daemon. The test fails without one.
func (u *standaloneUser) daemonPID(t *testing.T) int {
	t.Helper()
	supervisor := u.supervisorPID()
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
	t.Fatalf("no private daemon runs in %s", u.state)
	return 0
}

// statFields returns the fields of proc_pid_stat(5) from the third on: state, parent,
// process group, session.
func statFields(stat []byte) []string {
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.Fields(rest)
}

// isRunning reports whether a process runs. A zombie does not.
func isRunning(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	fields := statFields(stat)
	return len(fields) > 0 && fields[0] != "Z"
}

// stop stops the private daemon, if one runs, and waits until it has ended.
func (u *standaloneUser) stop(t *testing.T) {
	t.Helper()
	pid := u.supervisorPID()
	if pid == 0 {
		return
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Error(err)
	}
	testkit.Eventually(t, func() error {
		if isRunning(pid) {
			return fmt.Errorf("the private daemon's supervisor (%d) still runs", pid)
		}
		return nil
	})
}
