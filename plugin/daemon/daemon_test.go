package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReadSettings(t *testing.T) {
	abs := func(path string) string { return filepath.Join(t.TempDir(), path) }
	home, state := abs("home"), abs("state")
	for _, test := range []struct {
		name string
		env  map[string]string
		want Settings
		err  string
	}{
		{
			name: "a home",
			env:  map[string]string{"HOME": home},
			want: Settings{Dir: filepath.Join(home, ".local", "state", "stagebuild"), Idle: 10 * time.Minute, Start: time.Minute},
		},
		{
			name: "a state directory",
			env:  map[string]string{"HOME": home, "XDG_STATE_HOME": state, idleVar: "0", startVar: "90s"},
			want: Settings{Dir: filepath.Join(state, "stagebuild"), Start: 90 * time.Second},
		},
		{
			name: "a relative state directory",
			env:  map[string]string{"HOME": home, "XDG_STATE_HOME": "state"},
			want: Settings{Dir: filepath.Join(home, ".local", "state", "stagebuild"), Idle: 10 * time.Minute, Start: time.Minute},
		},
		{name: "no home", err: "set XDG_STATE_HOME or HOME to an absolute path"},
		{name: "no unit", env: map[string]string{"HOME": home, idleVar: "10"}, err: `STAGEBUILD_DAEMON_IDLE_TIMEOUT="10" is not a duration`},
		{name: "negative", env: map[string]string{"HOME": home, startVar: "-1s"}, err: `STAGEBUILD_DAEMON_START_TIMEOUT="-1s" is not a duration`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ReadSettings(func(name string) string { return test.env[name] })
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
				return
			}
			if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestSocketFitsItsLimit(t *testing.T) {
	for _, dir := range []string{"/home/user/.local/state/stagebuild", "/" + strings.Repeat("long/", 18), "/" + strings.Repeat("longer/", 40), "/with,comma", "/with space", "/home/jörg"} {
		socket := Settings{Dir: dir}.socket()
		below := filepath.Dir(socket) == filepath.Clean(dir)
		if len(socket) > maxSocketPath || strings.ContainsAny(socket, ", ö") || below != (len(dir) < 90 && !strings.ContainsAny(dir, ", ö")) {
			t.Errorf("the socket of %s is %s", dir, socket)
		}
	}
	if (Settings{Dir: "/a,b"}).socket() == (Settings{Dir: "/a,c"}).socket() {
		t.Error("two state directories share a socket")
	}
}

// lookIn returns an exec.LookPath for a machine that has only the given programs.
func lookIn(installed ...string) func(string) (string, error) {
	return func(name string) (string, error) {
		if slices.Contains(installed, name) {
			return filepath.Join("/bin", name), nil
		}
		return "", errors.New("not found")
	}
}

func TestMissingPrograms(t *testing.T) {
	const buildkit = "curl -fsSL https://github.com/moby/buildkit/releases/download/v0.33.1/buildkit-v0.33.1.linux-amd64.tar.gz | "
	const rootlesskit = "curl -fsSL https://github.com/rootless-containers/rootlesskit/releases/latest/download/rootlesskit-$(uname -m).tar.gz | "
	for _, test := range []struct {
		name      string
		installed []string
		root      bool
		want      string
		install   string
	}{
		{
			name:    "nothing as root",
			root:    true,
			want:    "buildkitd and an OCI runtime (runc, crun) are not on PATH",
			install: buildkit + "tar -xz -C /usr/local",
		}, {
			name:    "nothing",
			want:    "buildkitd, an OCI runtime (runc, crun) and rootlesskit are not on PATH",
			install: buildkit + "sudo tar -xz -C /usr/local && " + rootlesskit + "sudo tar -xz -C /usr/local/bin",
		}, {
			name:      "no runtime",
			installed: []string{"buildkitd"},
			root:      true,
			want:      "an OCI runtime (runc, crun) is not on PATH",
			install:   buildkit + "tar -xz -C /usr/local",
		}, {
			name:      "no rootlesskit",
			installed: []string{"buildkitd", "crun"},
			want:      "rootlesskit is not on PATH",
			install:   rootlesskit + "sudo tar -xz -C /usr/local/bin",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := find(lookIn(test.installed...), test.root)
			missing, ok := errors.AsType[*MissingError](err)
			if !ok || missing.Error() != test.want {
				t.Fatalf("error %v, want %q", err, test.want)
			}
			if diff := cmp.Diff(test.install, missing.Install("v0.33.1", "amd64", test.root)); diff != "" {
				t.Errorf("command (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInstallNeedsARelease(t *testing.T) {
	missing := &MissingError{Parts: []string{partRuntime}}
	if got := missing.Install("unknown", "amd64", true); got != "" {
		t.Errorf("a command for no version: %s", got)
	}
	if got := missing.Install("v0.33.1", "arm", true); !strings.Contains(got, "linux-arm-v7.tar.gz") {
		t.Errorf("the command for arm: %s", got)
	}
}

func TestCommand(t *testing.T) {
	root, err := find(lookIn("buildkitd", "runc", "buildkit-runc", "rootlesskit"), true)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"/bin/buildkitd", "--config=" + os.DevNull, "--root=/state/buildkit", "--addr=unix:///state/buildkitd.sock",
		"--debugaddr=", "--tlscert=", "--tlskey=", "--tlscacert=", "--group=", "--otel-socket-path=/state/otel.sock",
		"--oci-worker=true", "--oci-worker-binary=/bin/buildkit-runc", "--containerd-worker=false",
		"--allow-insecure-entitlement=network.host",
	}
	if diff := cmp.Diff(want, root.command(Settings{Dir: "/state"})); diff != "" {
		t.Error("as root (-want +got):\n" + diff)
	}

	user, err := find(lookIn("buildkitd", "crun", "rootlesskit"), false)
	if err != nil {
		t.Fatal(err)
	}
	want[1], want[11] = "--config=/own.toml", "--oci-worker-binary=/bin/crun"
	want = append([]string{"/bin/rootlesskit", "--pidns"}, want[:len(want)-1]...)
	if diff := cmp.Diff(want, user.command(Settings{Dir: "/state", Config: "/own.toml"})); diff != "" {
		t.Error("as another user, with a configuration (-want +got):\n" + diff)
	}
}

func TestStartErrorShowsTheCause(t *testing.T) {
	s := Settings{Dir: t.TempDir()}
	log := strings.Repeat("earlier\n", 20) + `level=info msg="auto snapshotter"
buildkitd: no such luck
could not do it

github.com/moby/buildkit/util.Do
	github.com/moby/buildkit/util/do.go:12
main.main.func3
	github.com/moby/buildkit/cmd/buildkitd/main.go:3
ERROR: buildkitd ended: exit status 1
`
	if err := os.WriteFile(s.Log(), []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	got, ok := errors.AsType[*StartError](s.startError("did not start"))
	if !ok || len(got.Tail) != logTail {
		t.Fatalf("%#v", got)
	}
	want := []string{`level=info msg="auto snapshotter"`, "buildkitd: no such luck", "could not do it", "ERROR: buildkitd ended: exit status 1"}
	if diff := cmp.Diff(want, got.Tail[logTail-len(want):]); diff != "" {
		t.Error("(-want +got):\n" + diff)
	}
}

func TestEnvironment(t *testing.T) {
	got := environment([]string{
		"PATH=/bin", "HOME=/home/user", "https_proxy=http://proxy", "NO_PROXY=localhost",
		"AWS_SECRET_ACCESS_KEY=secret", "DOCKER_CLI_PLUGIN_SOCKET=@docker_cli", "NOTIFY_SOCKET=/run/notify", "BUILDKITD_DEBUGADDR=:6060",
	})
	want := []string{"PATH=/bin", "HOME=/home/user", "https_proxy=http://proxy", "NO_PROXY=localhost"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("(-want +got):\n" + diff)
	}
}
