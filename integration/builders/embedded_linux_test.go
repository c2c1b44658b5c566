package builders

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// plainContext writes a context whose build needs no base image.
func plainContext(t *testing.T) string {
	t.Helper()
	return testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /copied\n"})
}

// wantCopied checks the result of a build of plainContext.
func wantCopied(t *testing.T, out string) {
	t.Helper()
	if data, err := os.ReadFile(filepath.Join(out, "copied")); err != nil || !strings.HasPrefix(string(data), "FROM scratch\n") {
		t.Errorf("copied is %q, %v", data, err)
	}
}

// TestEmbedded builds without any builder: the first build starts the private daemon and
// prints a notice, later builds use the same daemon.
func TestEmbedded(t *testing.T) {
	u := newStandaloneUser(t)
	dir := plainContext(t)
	out, printed := u.build(t, dir)
	wantCopied(t, out)
	for _, want := range []string{
		"No Docker Engine answers at " + u.vars["DOCKER_HOST"],
		"Using a private BuildKit daemon (state: " + u.state + ", log: " + u.state + "/buildkitd.log), which stops after 2m0s without a build.",
	} {
		if !strings.Contains(printed.Stderr, want) {
			t.Errorf("the first build does not contain %q:\n%s", want, printed.Stderr)
		}
	}
	pid := u.daemonPID(t)
	for _, flags := range [][]string{nil, {"--builder=embedded"}} {
		out, again := u.build(t, dir, flags...)
		wantCopied(t, out)
		if !strings.Contains(again.Stderr, "Using the private BuildKit daemon (state: "+u.state+").") ||
			strings.Contains(again.Stderr, "No Docker Engine") || !strings.Contains(again.Stderr, "CACHED") {
			t.Errorf("%v: a cached build on the running daemon prints:\n%s", flags, again.Stderr)
		}
		if printed.Stdout+again.Stdout != "" {
			t.Errorf("%v: on standard output: %q %q", flags, printed.Stdout, again.Stdout)
		}
	}
	u.wantNoNotices(t, dir)
	const noEngine = "cannot be loaded into Docker (for a file instead, use --output type=docker,dest=FILE): failed to connect"
	if printed, err := u.run(t, "docker-stagebuild", "build", "--load", dir); err == nil || !strings.Contains(printed.Stderr, noEngine) {
		t.Errorf("--load without a Docker Engine: %v\n%s", err, printed.Stderr)
	}
	if got := u.daemonPID(t); got != pid {
		t.Errorf("the daemon was process %d and is %d", pid, got)
	}
}

// wantNoNotices checks that output for programs contains no notices for users.
func (u *standaloneUser) wantNoNotices(t *testing.T, dir string) {
	t.Helper()
	output := "--output=type=tar,dest=" + filepath.Join(t.TempDir(), "out.tar")
	printed, err := u.run(t, "docker-stagebuild", "build", "--quiet", output, dir)
	if err != nil || printed.Stderr != "" {
		t.Errorf("--quiet: %v\n%s", err, printed.Stderr)
	}
	printed, err = u.run(t, "docker-stagebuild", "build", "--progress=rawjson", output, dir)
	if err != nil {
		t.Errorf("--progress=rawjson: %v\n%s", err, printed.Stderr)
	}
	for line := range strings.Lines(printed.Stderr) {
		if !json.Valid([]byte(line)) {
			t.Errorf("--progress=rawjson: %s", line)
		}
	}
}

// TestEmbeddedWithDocker runs the plugin under the Docker CLI with its output in a pipe:
// the daemon inherits neither the environment nor the pipe.
func TestEmbeddedWithDocker(t *testing.T) {
	u := newStandaloneUser(t)
	u.vars["SECRET_OF_THE_BUILD"] = "1"
	printed, err := u.run(t, "docker", "stagebuild", "build", "--builder=embedded", plainContext(t))
	if err != nil || strings.Contains(printed.Stderr, "No Docker Engine") {
		t.Fatalf("%v\n%s", err, printed.Stderr)
	}
	pid := u.daemonPID(t)
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"DOCKER_CLI_PLUGIN", "SECRET_OF_THE_BUILD"} {
		if bytes.Contains(environ, []byte(name)) {
			t.Errorf("the daemon has %s in its environment", name)
		}
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	if session := statFields(stat)[3]; session != fmt.Sprint(u.supervisorPID()) {
		t.Errorf("the daemon belongs to session %s", session)
	}
	wantPrivateSockets(t, pid, u.state)
}

// wantPrivateSockets checks that a process listens only on sockets below a directory
// (proc_pid_net(5)).
func wantPrivateSockets(t *testing.T, pid int, dir string) {
	t.Helper()
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	own := map[string]bool{}
	for _, link := range links {
		target, _ := os.Readlink(link) // the file may have been closed
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			own[strings.TrimSuffix(inode, "]")] = true
		}
	}
	listens := 0
	for _, table := range []string{"tcp", "tcp6", "unix"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			f := strings.Fields(line)
			switch {
			case table != "unix" && f[3] == "0A" && own[f[9]]:
				t.Errorf("the daemon listens on %s %s", table, f[1])
			case table == "unix" && f[3] == "00010000" && own[f[6]]:
				listens++
				if !strings.HasPrefix(f[7], dir+"/") {
					t.Errorf("the daemon listens on %s", f[7])
				}
			}
		}
	}
	if listens == 0 {
		t.Error("the daemon listens nowhere")
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory of its sockets: %v, %v", info.Mode(), err)
	}
}

// TestEmbeddedConcurrentBuilds starts several builds at once, repeatedly: only one of them
// starts a daemon.
func TestEmbeddedConcurrentBuilds(t *testing.T) {
	u := newStandaloneUser(t)
	dir := plainContext(t)
	for round := range 4 {
		var wg sync.WaitGroup
		var printed [3]string
		for i := range printed {
			wg.Go(func() {
				out, err := u.run(t, "docker-stagebuild", "build", "--builder=embedded", "--progress=plain", dir)
				printed[i] = out.Stderr
				if err != nil {
					t.Errorf("round %d: %v\n%s", round, err, out.Stderr)
				}
			})
		}
		wg.Wait()
		if n := strings.Count(strings.Join(printed[:], ""), "Using a private BuildKit daemon"); n != 1 {
			t.Errorf("round %d: %d daemons were started:\n%s", round, n, strings.Join(printed[:], "\n"))
		}
		u.daemonPID(t)
		u.stop(t)
	}
}

// TestEmbeddedKilled kills the daemon during a build. The next build succeeds, and nothing
// of the first one still runs.
func TestEmbeddedKilled(t *testing.T) {
	u := newStandaloneUser(t)
	mark := fmt.Sprintf("601.%d", os.Getpid()) // no other process sleeps as many seconds
	build, stderr := u.startStep(t, mark)
	pid := u.daemonPID(t)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := build.Wait(); err == nil || !strings.Contains(stderr.String(), "its log is "+u.state+"/buildkitd.log") {
		t.Errorf("the build ended with %v:\n%s", err, stderr)
	}
	out, _ := u.build(t, plainContext(t))
	wantCopied(t, out)
	if got := u.daemonPID(t); got == pid {
		t.Error("the killed daemon is still there")
	}
	if testkit.IsStepRunning(t, mark) {
		t.Error("the step of the killed daemon still runs")
	}
}

// TestEmbeddedInterrupted interrupts a build as a terminal does, with a signal to its
// process group. The step ends, the daemon keeps running.
func TestEmbeddedInterrupted(t *testing.T) {
	u := newStandaloneUser(t)
	mark := fmt.Sprintf("602.%d", os.Getpid())
	build, _ := u.startStep(t, mark)
	pid := u.daemonPID(t)
	if err := syscall.Kill(-build.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := build.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("the build ended with %v, want status 130", err)
	}
	testkit.Eventually(t, func() error {
		if testkit.IsStepRunning(t, mark) {
			return errors.New("the step still runs")
		}
		return nil
	})
	out, _ := u.build(t, plainContext(t))
	wantCopied(t, out)
	if got := u.daemonPID(t); got != pid {
		t.Errorf("the daemon was process %d and is %d", pid, got)
	}
}

// startStep starts a build in a process group of its own and waits until its step sleeps.
// The returned buffer can be read after the build has ended.
func (u *standaloneUser) startStep(t *testing.T, seconds string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM busybox\nRUN sleep " + seconds + "\n"})
	build := u.command(t.Context(), "docker-stagebuild", "build", "--builder=embedded", dir)
	stderr := &bytes.Buffer{}
	build.Stderr = stderr
	build.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := build.Start(); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, func() error {
		if !testkit.IsStepRunning(t, seconds) {
			return errors.New("the step's process is not found")
		}
		return nil
	})
	return build, stderr
}

// TestEmbeddedIdleTimeout checks that the daemon stops when it is idle, but not during a
// longer step, and that its cache persists.
func TestEmbeddedIdleTimeout(t *testing.T) {
	u := newStandaloneUser(t)
	u.vars["STAGEBUILD_DAEMON_IDLE_TIMEOUT"] = "500ms"
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM busybox AS slow\nRUN sleep 2 && echo done > /done\nFROM scratch\nCOPY --from=slow /done /\n"})
	u.build(t, dir)
	testkit.Eventually(t, func() error {
		if pid := u.supervisorPID(); pid != 0 {
			return fmt.Errorf("the private daemon's supervisor (%d) still runs", pid)
		}
		return nil
	})
	for _, name := range []string{"buildkitd.sock", "otel.sock", "daemon.pid"} {
		if _, err := os.Stat(filepath.Join(u.state, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left behind: %v", name, err)
		}
	}
	out, printed := u.build(t, dir)
	if data, err := os.ReadFile(filepath.Join(out, "done")); err != nil || string(data) != "done\n" {
		t.Errorf("done is %q, %v", data, err)
	}
	if !strings.Contains(printed.Stderr, "Using a private BuildKit daemon") || !strings.Contains(printed.Stderr, "CACHED") {
		t.Errorf("the next build starts a daemon and finds the cache:\n%s", printed.Stderr)
	}
}

// TestEmbeddedFailsToStart builds without buildkitd, and with one that does not start.
func TestEmbeddedFailsToStart(t *testing.T) {
	for _, test := range []struct {
		name, buildkitd string
		want            []string
	}{
		{"not there", "", []string{"private daemon          buildkitd", "not on PATH", "tar -xz -C /usr/local"}},
		{"ends", "echo 'no such luck' >&2; exit 3", []string{"private daemon          it did not start; the last lines of ", "no such luck", "exit status 3"}},
		{"does not answer", "echo waiting; exec sleep 600", []string{"waiting", "did not answer within 300ms"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := newStandaloneUser(t)
			u.vars["STAGEBUILD_DAEMON_START_TIMEOUT"] = "300ms"
			tools := t.TempDir()
			if test.buildkitd == "" {
				u.vars["PATH"] = u.env.BinDir
			} else {
				testkit.WriteFile(t, filepath.Join(tools, "buildkitd"), "#!/bin/sh\n"+test.buildkitd+"\n")
				if err := os.Chmod(filepath.Join(tools, "buildkitd"), 0o755); err != nil {
					t.Fatal(err)
				}
				u.vars["PATH"] = tools + ":" + u.vars["PATH"]
			}
			printed, err := u.run(t, "docker-stagebuild", "build", plainContext(t))
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("the build ended with %v", err)
			}
			for _, want := range append(test.want, "docker context          default: ", u.vars["DOCKER_HOST"]) {
				if !strings.Contains(printed.Stderr, want) {
					t.Errorf("the error does not contain %q:\n%s", want, printed.Stderr)
				}
			}
			if pid := u.supervisorPID(); pid != 0 {
				t.Errorf("a supervisor (%d) is left behind", pid)
			}
		})
	}
}

// TestEmbeddedDoesNotReplaceABuilder selects an unreachable builder, which is an error,
// and a buildx builder named "embedded", which takes precedence over the private daemon.
func TestEmbeddedDoesNotReplaceABuilder(t *testing.T) {
	u := newStandaloneUser(t)
	dir := plainContext(t)
	nowhere := "unix://" + filepath.Join(u.state, "nowhere.sock")
	for name, value := range map[string]string{"BUILDKIT_HOST": nowhere, "BUILDX_BUILDER": "nosuch", "DOCKER_HOST": "tcp://127.0.0.1:1"} {
		t.Run(name, func(t *testing.T) {
			before, was := u.vars[name]
			u.vars[name] = value
			if printed, err := u.run(t, "docker-stagebuild", "build", dir); err == nil || strings.Contains(printed.Stderr, "private") {
				t.Errorf("%s=%s: %v\n%s", name, value, err, printed.Stderr)
			}
			if delete(u.vars, name); was {
				u.vars[name] = before
			}
		})
	}
	// buildx rejects a configuration for a daemon that it does not start.
	u.vars["BUILDX_CONFIG"] = t.TempDir()
	printed, err := u.run(t, "docker-buildx", "create", "--name=embedded", "--driver=remote", u.env.BuildkitAddr)
	if err != nil {
		t.Fatalf("%v\n%s", err, printed.Stderr)
	}
	out, _ := u.build(t, dir, "--builder=embedded")
	wantCopied(t, out)
	if _, err := os.Stat(u.state); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a private daemon was started: %v", err)
	}
}
