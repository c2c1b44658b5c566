package integration

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBuilderNeverAnswers builds on what accepts connections and says nothing.
func TestBuilderNeverAnswers(t *testing.T) {
	env, _ := productEnv(t)
	dir := writeContext(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			place := map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(env.Dir, "deaf.sock")}[network]
			lis, err := new(net.ListenConfig).Listen(t.Context(), network, place)
			if err != nil {
				t.Fatal(err)
			}
			// The kernel accepts connections for whoever does not.
			defer func() { _ = lis.Close() }()
			addr := network + "://" + lis.Addr().String()
			cmd := env.Command(t.Context(), "docker-stagebuild", "build", dir)
			cmd.Env = append(cmd.Env, "BUILDKIT_HOST="+addr)
			status, out := start(t, cmd).wait(t, 20*time.Second)
			if want := addr + ": no answer within 10s\n"; status != 1 || !strings.Contains(out, want) {
				t.Errorf("exit status %d, want 1 and %q:\n%s", status, want, out)
			}
		})
	}
}

// TestBuilderIsNoBuilder builds on what answers, but not as BuildKit.
func TestBuilderIsNoBuilder(t *testing.T) {
	env, _ := productEnv(t)
	cmd := env.Command(t.Context(), "docker-stagebuild", "build", writeContext(t, map[string]string{"Dockerfile": "FROM scratch\n"}))
	addr := "tcp://" + env.Registry.Host
	cmd.Env = append(cmd.Env, "BUILDKIT_HOST="+addr)
	status, out := start(t, cmd).wait(t, 10*time.Second)
	if status != 1 || !strings.Contains(out, addr) || !strings.Contains(out, "looked like an HTTP/1.1 header") {
		t.Errorf("exit status %d:\n%s", status, out)
	}
}
