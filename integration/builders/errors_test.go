package builders

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestBuilderHangs builds on an address that accepts connections and never answers.
func TestBuilderHangs(t *testing.T) {
	env, _ := suite.Product(t)
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			place := map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(env.Dir, "deaf.sock")}[network]
			lis, err := new(net.ListenConfig).Listen(t.Context(), network, place)
			if err != nil {
				t.Fatal(err)
			}
			// The kernel accepts the connections, although nothing calls Accept.
			defer func() { _ = lis.Close() }()
			addr := network + "://" + lis.Addr().String()
			cmd := env.Command(t.Context(), "docker-stagebuild", "build", dir)
			cmd.Env = append(cmd.Env, "BUILDKIT_HOST="+addr)
			status, out := testkit.StartProcess(t, cmd).Wait(t, time.Minute)
			if want := addr + ": no answer within 10s\n"; status != 1 || !strings.Contains(out, want) {
				t.Errorf("exit status %d, want 1 and %q:\n%s", status, want, out)
			}
		})
	}
}

// TestBuilderIsNotBuildKit builds on a server that is not BuildKit.
func TestBuilderIsNotBuildKit(t *testing.T) {
	env, _ := suite.Product(t)
	cmd := env.Command(t.Context(), "docker-stagebuild", "build", testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM scratch\n"}))
	addr := "tcp://" + env.Registry.Host
	cmd.Env = append(cmd.Env, "BUILDKIT_HOST="+addr)
	status, out := testkit.StartProcess(t, cmd).Wait(t, 30*time.Second)
	if status != 1 || !strings.Contains(out, addr) || !strings.Contains(out, "error reading server preface") {
		t.Errorf("exit status %d:\n%s", status, out)
	}
}

// TestDaemonKilled kills the daemon during a build.
func TestDaemonKilled(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedOwnDaemon(t)
	addr, err := env.StartNode(t.Context(), "lost", env.Platform)
	if err != nil {
		t.Fatal(err)
	}
	dir, out := testkit.WriteContext(t, map[string]string{"Dockerfile": testkit.SleepFile("3601")}), t.TempDir()
	cmd := env.Command(t.Context(), "docker-stagebuild", "build", "--progress=plain", "--output=type=oci,dest="+filepath.Join(out, "image.tar"),
		"--metadata-file="+filepath.Join(out, "metadata"), "--iidfile="+filepath.Join(out, "iid"), dir)
	cmd.Env = append(cmd.Env, "BUILDKIT_HOST="+addr)
	build := testkit.StartProcess(t, cmd)
	build.WaitForOutput(t, "42 sleeps")
	if err := env.KillNode(addr); err != nil {
		t.Fatal(err)
	}
	status, text := build.Wait(t, 30*time.Second)
	want := fmt.Sprintf("ERROR: failed to build: lost the connection to builder %q at %s: ", "buildkit-host", addr)
	if status != 1 || !strings.Contains(text, want) {
		t.Errorf("exit status %d, want 1 and %q:\n%s", status, want, text)
	}
	testkit.WantEmpty(t, out)
}

// TestMissingNode builds on a builder that has lost one of its nodes: results that do not
// need it are built.
func TestMissingNode(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedOwnDaemon(t)
	builder, foreign, addr := testkit.CreateTwoNodes(t, env, "gone")
	if err := env.KillNode(addr); err != nil {
		t.Fatal(err)
	}
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": fmt.Sprintf("# platforms=%s,%s\n"+
		"FROM --for=%s scratch AS one\nCOPY Dockerfile /\nFROM scratch AS all\nCOPY Dockerfile /\n", env.Platform, foreign, env.Platform)})
	out := t.TempDir()
	res, err := testkit.Build(t, env, "--builder="+builder, "--stage=one,all", "--platform=all", "--progress=plain",
		"--output=type=local,dest="+filepath.Join(out, "{{.Stage}}"), dir)
	if err == nil {
		t.Error("the command succeeded")
	}
	if want := fmt.Sprintf("ERROR: all: failed to build: lost the connection to node %q of builder %q at %s: ", "foreign", builder, addr); !strings.Contains(res.Stderr, want) {
		t.Errorf("%s is missing in\n%s", want, res.Stderr)
	}
	if _, err := os.Stat(filepath.Join(out, "one", "Dockerfile")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(out, "all")); err == nil {
		t.Error("a failed result left files behind")
	}
}
