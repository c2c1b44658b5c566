package build

import (
	"context"
	"crypto/rand"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// TestSSH builds with SSH keys of an agent and from a file, which do not leak into the
// result.
func TestSSH(t *testing.T) {
	env, _ := suite.Product(t)
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": `FROM busybox
COPY sshkeys /bin/sshkeys
RUN --mount=type=ssh,required=true sshkeys > /agent
RUN --mount=type=ssh,id=file,required=true sshkeys > /file
`})
	testkit.RunIn(t, ".", append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH), "go", "build", "-o", filepath.Join(dir, "sshkeys"), "./testdata/sshkeys")
	keys := filepath.Join(t.TempDir(), "key")
	socket := startAgent(t, env, keys) // installs OpenSSH first, if necessary
	newSSHKey(t, keys+"-file")
	for _, test := range []struct {
		name string
		args []string
		env  []string
		want string // of the error
	}{
		{name: "agent of the environment", args: []string{"--ssh=default"}, env: []string{"SSH_AUTH_SOCK=" + socket}},
		{name: "agent at a socket with the image frontend", args: []string{"--ssh=default=" + socket, "--frontend=image"}},
		{name: "no agent", args: []string{"--ssh=default"}, env: []string{"SSH_AUTH_SOCK="}, want: "SSH_AUTH_SOCK"},
		{name: "not given", want: "unset ssh forward key default"},
	} {
		t.Run(test.name, func(t *testing.T) {
			image := filepath.Join(t.TempDir(), "image.tar")
			args := append([]string{"build", "--no-cache", "--ssh=file=" + keys + "-file",
				"--output=type=oci,compression=uncompressed,force-compression=true,dest=" + image, dir}, test.args...)
			cmd := env.Command(t.Context(), "docker-stagebuild", args...)
			cmd.Env = append(cmd.Env, test.env...)
			text, err := cmd.CombinedOutput()
			if test.want != "" {
				if err == nil || !strings.Contains(string(text), test.want) {
					t.Errorf("%v, want %q:\n%s", err, test.want, text)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			res, err := harness.ReadOCI(image, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			testkit.WantFile(t, res, env.Platform, "agent", publicKey(t, keys)+"\n")
			testkit.WantFile(t, res, env.Platform, "file", publicKey(t, keys+"-file")+"\n")
			private := []string{privateKey(t, keys), privateKey(t, keys+"-file")}
			wantNoSecret(t, "image", testkit.ReadFile(t, image), private)
			wantNoSecret(t, "output", text, private)
		})
	}
}

// startAgent starts an ssh-agent with a new key, whose files it writes, and returns its
// socket.
func startAgent(t *testing.T, env *harness.Env, key string) string {
	t.Helper()
	installed := func() error {
		_, err := exec.LookPath("ssh-agent")
		return err
	}
	if err := toolchain.Install(t.Context(), os.Stderr, installed, "openssh-client"); err != nil {
		t.Fatal(err)
	}
	newSSHKey(t, key)
	// The path of a Unix socket must be short.
	socket := filepath.Join(env.Dir, "agent-"+rand.Text())
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	agent := exec.CommandContext(ctx, "ssh-agent", "-D", "-a", socket)
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = agent.Wait() // it was killed
	})
	testkit.Eventually(t, func() error {
		conn, err := new(net.Dialer).DialContext(t.Context(), "unix", socket)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	testkit.RunIn(t, ".", append(os.Environ(), "SSH_AUTH_SOCK="+socket), "ssh-add", "-q", key)
	return socket
}

func newSSHKey(t *testing.T, file string) {
	t.Helper()
	testkit.RunIn(t, ".", os.Environ(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file)
}

// publicKey returns the key field of a .pub file: "TYPE KEY COMMENT".
func publicKey(t *testing.T, file string) string {
	t.Helper()
	return strings.Fields(string(testkit.ReadFile(t, file+".pub")))[1]
}

// privateKey returns a line of a private key that does not contain the public one.
func privateKey(t *testing.T, file string) string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(string(testkit.ReadFile(t, file))), "\n")
	return lines[len(lines)-2]
}
