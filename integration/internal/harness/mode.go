package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	bkclient "github.com/moby/buildkit/client"

	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// mode is a way to get a BuildKit daemon for an environment.
type mode interface {
	start(ctx context.Context, e *Env) error
}

// chooseMode follows the list in the package's documentation.
func chooseMode(ctx context.Context, opts Options) (mode, error) {
	if addr := os.Getenv("BUILDKIT_HOST"); addr != "" {
		return givenDaemon{addr}, nil
	}
	own := runtime.GOOS == "linux" && os.Geteuid() == 0
	if own && !opts.PreferDocker && os.Getenv("STAGEBUILD_PREFER_DOCKER") != "1" {
		return ownDaemon{}, nil
	}
	host, err := dockerHost(ctx)
	switch {
	case err == nil && runtime.GOOS == "linux":
		return dockerBuilder{host}, nil
	case own:
		return ownDaemon{}, nil
	case err == nil:
		return nil, &UnavailableError{"on " + runtime.GOOS + " a container of the engine cannot reach a registry on this machine's loopback address; set BUILDKIT_HOST"}
	case runtime.GOOS != "linux":
		return nil, &UnavailableError{"buildkitd runs on Linux, this is " + runtime.GOOS + "; set BUILDKIT_HOST"}
	}
	return nil, &UnavailableError{fmt.Sprintf("a daemon needs root, and no Docker Engine responds (%v); set BUILDKIT_HOST", err)}
}

// givenDaemon is the daemon of BUILDKIT_HOST.
type givenDaemon struct{ addr string }

func (m givenDaemon) start(ctx context.Context, e *Env) error {
	e.BuildkitAddr = m.addr
	e.Builder = "the daemon of BUILDKIT_HOST=" + m.addr
	return waitDaemon(ctx, m.addr)
}

// ownDaemon is a buildkitd that the harness starts.
type ownDaemon struct{}

func (ownDaemon) start(ctx context.Context, e *Env) error {
	d, err := e.startDaemon(ctx, "bk")
	if err != nil {
		return err
	}
	e.daemon, e.BuildkitAddr, e.Mirrored = d, d.addr, true
	e.Builder = "a buildkitd that the harness started"
	return nil
}

// dockerBuilder is a docker-container builder in the engine at host.
type dockerBuilder struct{ host string }

func (m dockerBuilder) start(ctx context.Context, e *Env) error {
	image, err := buildkitImage(ctx)
	if err != nil {
		return err
	}
	config := filepath.Join(e.Dir, "buildkitd.toml")
	if err := os.WriteFile(config, []byte(mirrorConfig(e.Registry.Host)), 0o644); err != nil {
		return err
	}
	e.extra = append(e.extra, "DOCKER_HOST="+m.host)
	name := filepath.Base(e.Dir)
	args := []string{"create", "--name", name, "--driver", "docker-container", "--bootstrap", "--buildkitd-config", config}
	// The host's network is where the registry's loopback address is.
	for _, opt := range append([]string{"network=host", "image=" + image}, prefixed("env.", proxyEnv(e.Registry.Host))...) {
		args = append(args, "--driver-opt", opt)
	}
	e.atEnd(func(time.Duration) error {
		_, err := e.Buildx(context.Background(), "rm", "--force", name)
		return err
	})
	if _, err := e.Buildx(ctx, args...); err != nil {
		return err
	}
	e.BuildkitAddr = "docker-container://buildx_buildkit_" + name + "0"
	e.extra = append(e.extra, "BUILDX_BUILDER="+name)
	e.Mirrored = true
	e.Builder = "a docker-container builder in the Docker Engine at " + m.host
	return nil
}

// dockerHost returns the address of the user's Docker Engine, if it responds.
func dockerHost(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Version}}").CombinedOutput(); err != nil {
		return "", fmt.Errorf("docker version: %w: %s", err, bytes.TrimSpace(out))
	}
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		return host, nil
	}
	out, err := exec.CommandContext(ctx, "docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}").Output()
	if err != nil {
		return "", fmt.Errorf("docker context inspect: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// buildkitImage names the image of the BuildKit release that go.mod asks for.
func buildkitImage(ctx context.Context) (string, error) {
	if image := os.Getenv("STAGEBUILD_BUILDKIT_IMAGE"); image != "" {
		return image, nil
	}
	version, err := toolchain.ModuleVersion(ctx, "github.com/moby/buildkit")
	return "moby/buildkit:" + version, err
}

// waitDaemon waits until a daemon responds, for at most half a minute.
func waitDaemon(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	c, err := bkclient.New(ctx, addr)
	if err != nil {
		return err
	}
	err = c.Wait(ctx)
	if err != nil {
		err = fmt.Errorf("no BuildKit daemon responds at %s: %w", addr, err)
	}
	return errors.Join(err, c.Close())
}

func prefixed(prefix string, list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = prefix + s
	}
	return out
}
