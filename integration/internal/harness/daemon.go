package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	bkclient "github.com/moby/buildkit/client"

	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// daemon is a buildkitd that the harness started.
type daemon struct {
	addr string
	proc *process
}

// startDaemon starts a buildkitd with an OCI worker and the given flags. Its
// state is in the environment's directory, under name.
func (e *Env) startDaemon(ctx context.Context, name string, flags ...string) (*daemon, error) {
	bin, err := toolchain.Ensure(ctx, e.log, "buildkitd")
	if err != nil {
		return nil, err
	}
	runc, err := ensureRunc(ctx, e.log)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(e.Dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "buildkitd.toml")
	if err := os.WriteFile(config, []byte(mirrorConfig(e.Registry.Host)), 0o644); err != nil {
		return nil, err
	}
	addr := "unix://" + filepath.Join(dir, "s")
	// The socket for traces has a default path, whatever --addr is. Daemons that start at
	// the same time would replace it, and end.
	args := append([]string{
		"--config", config, "--root", filepath.Join(dir, "state"), "--addr", addr,
		"--otel-socket-path", filepath.Join(dir, "t"),
		"--oci-worker", "true", "--oci-worker-binary", runc, "--containerd-worker", "false",
	}, flags...)
	// The daemon ends with the environment, not with the start's context.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), bin, args...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), isProxyVar), proxyEnv(e.Registry.Host)...)
	inOwnNamespaces(cmd)
	proc, err := startProcess("buildkitd", cmd)
	if err != nil {
		return nil, err
	}
	// The daemon unmounts its state itself, which takes a moment.
	e.atEnd(proc.stop)
	c, err := bkclient.New(ctx, addr)
	if err != nil {
		return nil, err
	}
	err = proc.waitReady(ctx, 60*time.Second, func(ctx context.Context) error {
		_, err := c.ListWorkers(ctx)
		return err
	})
	return &daemon{addr: addr, proc: proc}, errors.Join(err, c.Close())
}

// LinkDaemon links buildkitd and runc into a directory, for a program that starts
// them from its PATH.
func (e *Env) LinkDaemon(ctx context.Context, dir string) error {
	buildkitd, err := toolchain.Ensure(ctx, e.log, "buildkitd")
	if err != nil {
		return err
	}
	runc, err := ensureRunc(ctx, e.log)
	if err != nil {
		return err
	}
	for name, path := range map[string]string{"buildkitd": buildkitd, "runc": runc} {
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// DaemonConfig returns a buildkitd.toml with which a daemon pulls the names of Docker
// Hub, gcr.io and mcr.microsoft.com from the registry.
func (e *Env) DaemonConfig() string { return mirrorConfig(e.Registry.Host) }

// mirrorConfig returns a buildkitd.toml with which a daemon pulls the names of Docker
// Hub, and of the other registries of base images, from the registry at host.
func mirrorConfig(host string) string {
	var config strings.Builder
	fmt.Fprintf(&config, `[registry."docker.io"]
  mirrors = [%q]
[registry.%q]
  http = true
`, host, host)
	for _, name := range mirroredHosts() {
		fmt.Fprintf(&config, "[registry.%q]\n  mirrors = [%q]\n", name, host+"/"+name)
	}
	return config.String()
}

// proxyEnv makes the registry at host the HTTP proxy of a daemon. The proxy refuses
// requests to other hosts. So a missing base image fails at once, offline or not,
// and no test reads the network by accident.
func proxyEnv(host string) []string {
	var env []string
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} {
		env = append(env, name+"=http://"+host)
	}
	// One value: buildx reads the options that carry these as CSV.
	return append(env, "NO_PROXY=127.0.0.1")
}

func isProxyVar(kv string) bool {
	name, _, _ := strings.Cut(strings.ToUpper(kv), "=")
	return name == "HTTP_PROXY" || name == "HTTPS_PROXY" || name == "NO_PROXY" || name == "ALL_PROXY"
}
