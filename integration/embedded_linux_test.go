package integration

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
)

// plainContext is a context whose build needs no base image.
func plainContext(t *testing.T) string {
	t.Helper()
	return writeContext(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /copied\n"})
}

// wantCopied checks what a build of plainContext wrote.
func wantCopied(t *testing.T, out string) {
	t.Helper()
	if data, err := os.ReadFile(filepath.Join(out, "copied")); err != nil || !strings.HasPrefix(string(data), "FROM scratch\n") {
		t.Errorf("copied is %q, %v", data, err)
	}
}

// TestEmbedded builds where there is no builder at all: the first build starts
// the private daemon and says so, the others use it.
func TestEmbedded(t *testing.T) {
	l := newLoner(t)
	dir := plainContext(t)
	out, said := l.build(t, dir)
	wantCopied(t, out)
	for _, want := range []string{
		"No Docker Engine answers at " + l.vars["DOCKER_HOST"],
		"Using a private BuildKit daemon (state: " + l.state + ", log: " + l.state + "/buildkitd.log), which stops after 2m0s without a build.",
	} {
		if !strings.Contains(said.Stderr, want) {
			t.Errorf("the first build does not say %q:\n%s", want, said.Stderr)
		}
	}
	pid := l.buildkitd(t)
	for _, flags := range [][]string{nil, {"--builder=embedded"}} {
		out, again := l.build(t, dir, flags...)
		wantCopied(t, out)
		if !strings.Contains(again.Stderr, "Using the private BuildKit daemon (state: "+l.state+").") ||
			strings.Contains(again.Stderr, "No Docker Engine") || !strings.Contains(again.Stderr, "CACHED") {
			t.Errorf("%v: a build on the daemon that runs, with its cache, says:\n%s", flags, again.Stderr)
		}
		if said.Stdout+again.Stdout != "" {
			t.Errorf("%v: on standard output: %q %q", flags, said.Stdout, again.Stdout)
		}
	}
	l.wantQuiet(t, dir)
	const noEngine = "cannot be loaded into Docker (for a file instead, use --output type=docker,dest=FILE): failed to connect"
	if said, err := l.run(t, "docker-stagebuild", "build", "--load", dir); err == nil || !strings.Contains(said.Stderr, noEngine) {
		t.Errorf("--load without a Docker Engine: %v\n%s", err, said.Stderr)
	}
	if got := l.buildkitd(t); got != pid {
		t.Errorf("the daemon was process %d and is %d", pid, got)
	}
}

// wantQuiet checks that what programs read has no line for people in it.
func (l *loner) wantQuiet(t *testing.T, dir string) {
	t.Helper()
	output := "--output=type=tar,dest=" + filepath.Join(t.TempDir(), "out.tar")
	said, err := l.run(t, "docker-stagebuild", "build", "--quiet", output, dir)
	if err != nil || said.Stderr != "" {
		t.Errorf("--quiet: %v\n%s", err, said.Stderr)
	}
	said, err = l.run(t, "docker-stagebuild", "build", "--progress=rawjson", output, dir)
	if err != nil {
		t.Errorf("--progress=rawjson: %v\n%s", err, said.Stderr)
	}
	for line := range strings.Lines(said.Stderr) {
		if !json.Valid([]byte(line)) {
			t.Errorf("--progress=rawjson: %s", line)
		}
	}
}

// TestEmbeddedWithDocker runs the plugin under the Docker CLI, as the left side
// of a pipe that is read to its end: the daemon has nothing of either.
func TestEmbeddedWithDocker(t *testing.T) {
	l := newLoner(t)
	l.vars["SECRET_OF_THE_BUILD"] = "1"
	said, err := l.run(t, "docker", "stagebuild", "build", "--builder=embedded", plainContext(t))
	if err != nil || strings.Contains(said.Stderr, "No Docker Engine") {
		t.Fatalf("%v\n%s", err, said.Stderr)
	}
	pid := l.buildkitd(t)
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
	if session := statFields(stat)[3]; session != fmt.Sprint(l.supervisor()) {
		t.Errorf("the daemon belongs to session %s", session)
	}
	wantPrivateSockets(t, pid, l.state)
}

// wantPrivateSockets checks that a process listens below a folder and nowhere
// else (proc_pid_net(5)).
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
		t.Errorf("the folder of its sockets: %v, %v", info.Mode(), err)
	}
}

// TestEmbeddedAtOnce starts several builds at the same moment, again and again.
func TestEmbeddedAtOnce(t *testing.T) {
	l := newLoner(t)
	dir := plainContext(t)
	for round := range 4 {
		var wg sync.WaitGroup
		var said [3]string
		for i := range said {
			wg.Go(func() {
				out, err := l.run(t, "docker-stagebuild", "build", "--builder=embedded", "--progress=plain", dir)
				said[i] = out.Stderr
				if err != nil {
					t.Errorf("round %d: %v\n%s", round, err, out.Stderr)
				}
			})
		}
		wg.Wait()
		if n := strings.Count(strings.Join(said[:], ""), "Using a private BuildKit daemon"); n != 1 {
			t.Errorf("round %d: %d daemons were started:\n%s", round, n, strings.Join(said[:], "\n"))
		}
		l.buildkitd(t)
		l.stop(t)
	}
}

// TestEmbeddedKilled kills the daemon in the middle of a build. The next build
// works, and nothing is left of the other.
func TestEmbeddedKilled(t *testing.T) {
	l := newLoner(t)
	mark := fmt.Sprintf("601.%d", os.Getpid()) // seconds to sleep, which nobody else sleeps
	build, stderr := l.startStep(t, mark)
	pid := l.buildkitd(t)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := build.Wait(); err == nil || !strings.Contains(stderr.String(), "its log is "+l.state+"/buildkitd.log") {
		t.Errorf("the build ended with %v:\n%s", err, stderr)
	}
	out, _ := l.build(t, plainContext(t))
	wantCopied(t, out)
	if got := l.buildkitd(t); got == pid {
		t.Error("the killed daemon is still there")
	}
	if err := stepRuns(mark); err == nil {
		t.Error("the step of the killed daemon still runs")
	}
}

// TestEmbeddedInterrupted interrupts a build as a terminal does, with all that
// it started in the same session. The daemon goes on, the step does not.
func TestEmbeddedInterrupted(t *testing.T) {
	l := newLoner(t)
	mark := fmt.Sprintf("602.%d", os.Getpid())
	build, _ := l.startStep(t, mark)
	pid := l.buildkitd(t)
	if err := syscall.Kill(-build.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := build.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("the build ended with %v, want status 130", err)
	}
	await(t, func() error {
		if stepRuns(mark) == nil {
			return errors.New("the step still runs")
		}
		return nil
	})
	out, _ := l.build(t, plainContext(t))
	wantCopied(t, out)
	if got := l.buildkitd(t); got != pid {
		t.Errorf("the daemon was process %d and is %d", pid, got)
	}
}

// startStep starts a build, in a process group of its own, and waits until its
// step sleeps. What the build writes to standard error can be read when it has
// ended.
func (l *loner) startStep(t *testing.T, seconds string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	dir := writeContext(t, map[string]string{"Dockerfile": "FROM busybox\nRUN sleep " + seconds + "\n"})
	build := l.command(t.Context(), "docker-stagebuild", "build", "--builder=embedded", dir)
	stderr := &bytes.Buffer{}
	build.Stderr = stderr
	build.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := build.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, func() error { return stepRuns(seconds) })
	return build, stderr
}

// stepRuns returns nil if a process runs whose last argument is arg.
func stepRuns(arg string) error {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return err
	}
	for _, file := range lines {
		// A process may have ended since it was listed.
		if data, err := os.ReadFile(file); err == nil && bytes.HasSuffix(data, []byte("\x00"+arg+"\x00")) {
			return nil
		}
	}
	return fmt.Errorf("no process with the argument %s runs", arg)
}

// TestEmbeddedIdle lets the daemon stop when it is not used, and not before: a
// step may take longer. Its cache outlives it.
func TestEmbeddedIdle(t *testing.T) {
	l := newLoner(t)
	l.vars["STAGEBUILD_DAEMON_IDLE_TIMEOUT"] = "500ms"
	dir := writeContext(t, map[string]string{"Dockerfile": "FROM busybox AS slow\nRUN sleep 2 && echo done > /done\nFROM scratch\nCOPY --from=slow /done /\n"})
	l.build(t, dir)
	await(t, func() error {
		if pid := l.supervisor(); pid != 0 {
			return fmt.Errorf("the private daemon's supervisor (%d) goes on", pid)
		}
		return nil
	})
	for _, name := range []string{"buildkitd.sock", "otel.sock", "daemon.pid"} {
		if _, err := os.Stat(filepath.Join(l.state, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left behind: %v", name, err)
		}
	}
	out, said := l.build(t, dir)
	if data, err := os.ReadFile(filepath.Join(out, "done")); err != nil || string(data) != "done\n" {
		t.Errorf("done is %q, %v", data, err)
	}
	if !strings.Contains(said.Stderr, "Using a private BuildKit daemon") || !strings.Contains(said.Stderr, "CACHED") {
		t.Errorf("the next build starts a daemon and finds the cache:\n%s", said.Stderr)
	}
}

// TestEmbeddedNotStarted has no buildkitd, or one that does not come up.
func TestEmbeddedNotStarted(t *testing.T) {
	for _, test := range []struct {
		name, buildkitd string
		want            []string
	}{
		{"not there", "", []string{"private daemon          buildkitd", "not on PATH", "tar -xz -C /usr/local"}},
		{"ends", "echo 'no such luck' >&2; exit 3", []string{"private daemon          it did not start; the last lines of ", "no such luck", "exit status 3"}},
		{"does not answer", "echo waiting; exec sleep 600", []string{"waiting", "did not answer within 300ms"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLoner(t)
			l.vars["STAGEBUILD_DAEMON_START_TIMEOUT"] = "300ms"
			tools := t.TempDir()
			if test.buildkitd == "" {
				l.vars["PATH"] = l.env.BinDir
			} else {
				write(t, filepath.Join(tools, "buildkitd"), "#!/bin/sh\n"+test.buildkitd+"\n")
				if err := os.Chmod(filepath.Join(tools, "buildkitd"), 0o755); err != nil {
					t.Fatal(err)
				}
				l.vars["PATH"] = tools + ":" + l.vars["PATH"]
			}
			said, err := l.run(t, "docker-stagebuild", "build", plainContext(t))
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("the build ended with %v", err)
			}
			for _, want := range append(test.want, "docker context          default: ", l.vars["DOCKER_HOST"]) {
				if !strings.Contains(said.Stderr, want) {
					t.Errorf("the error does not say %q:\n%s", want, said.Stderr)
				}
			}
			if pid := l.supervisor(); pid != 0 {
				t.Errorf("a supervisor (%d) is left behind", pid)
			}
		})
	}
}

// TestEmbeddedIsNoSubstitute: a builder that was asked for and cannot be reached
// is an error, and buildx's own builder of the name is the one that is meant.
func TestEmbeddedIsNoSubstitute(t *testing.T) {
	l := newLoner(t)
	dir := plainContext(t)
	nowhere := "unix://" + filepath.Join(l.state, "nowhere.sock")
	for name, value := range map[string]string{"BUILDKIT_HOST": nowhere, "BUILDX_BUILDER": "nosuch", "DOCKER_HOST": "tcp://127.0.0.1:1"} {
		before, was := l.vars[name]
		l.vars[name] = value
		if said, err := l.run(t, "docker-stagebuild", "build", dir); err == nil || strings.Contains(said.Stderr, "private") {
			t.Errorf("%s=%s: %v\n%s", name, value, err, said.Stderr)
		}
		if delete(l.vars, name); was {
			l.vars[name] = before
		}
	}
	// buildx refuses a configuration for a daemon that it does not start.
	l.vars["BUILDX_CONFIG"] = t.TempDir()
	said, err := l.run(t, "docker-buildx", "create", "--name=embedded", "--driver=remote", l.env.BuildkitAddr)
	if err != nil {
		t.Fatalf("%v\n%s", err, said.Stderr)
	}
	out, _ := l.build(t, dir, "--builder=embedded")
	wantCopied(t, out)
	if _, err := os.Stat(l.state); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a private daemon was started: %v", err)
	}
}
