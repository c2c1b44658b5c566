// Package harness starts the servers of the integration tests and the demo: a
// real buildkitd with runc, and a registry that serves base images under Docker
// Hub's names, so that Dockerfiles read as users write them. They listen on
// loopback or on unix sockets, no build reads the network, and every request to
// the registry is recorded.
//
// A test binary uses it like this:
//
//	var suite harness.Suite
//
//	func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }
//
//	func TestBuild(t *testing.T) {
//		env := suite.Env(t)
//		out, err := env.Buildctl(t.Context(), "build", …)
//	}
//
// # Which BuildKit
//
//   - The daemon of BUILDKIT_HOST, if that is set. Its registry mirrors cannot
//     be changed from outside, so it pulls base images by its own configuration,
//     and [Env.Mirrored] is false.
//   - On Linux as root: a daemon of the harness's own. Missing tools are built,
//     and missing Debian packages are downloaded. If the daemon does not start,
//     the tests fail; they are not skipped.
//   - Otherwise, on Linux with a Docker Engine: a docker-container builder with
//     the same configuration. BuildKit's image comes from Docker Hub, or is
//     STAGEBUILD_BUILDKIT_IMAGE.
//   - Otherwise: [UnavailableError].
package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	bkclient "github.com/moby/buildkit/client"
	_ "github.com/moby/buildkit/client/connhelper/dockercontainer" // BUILDKIT_HOST=docker-container://

	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// Options are options of [Start]. Most tests use the zero value.
type Options struct {
	// Log gets a line about each long step; nil means standard error.
	Log io.Writer
	// Platforms are the platforms of the busybox image; nil means linux/amd64 and
	// linux/arm64. The machine's own is always added.
	Platforms []string
	// PreferDocker uses a working Docker Engine even if the harness could start
	// a daemon. STAGEBUILD_PREFER_DOCKER=1 in the environment does the same.
	PreferDocker bool
	// NoClients leaves out buildctl, buildx and the docker CLI, which take
	// minutes to build the first time. A builder in a Docker Engine needs them
	// in any case.
	NoClients bool
}

// Env is a running environment. Its methods are safe for concurrent use.
type Env struct {
	// BuildkitAddr is the daemon's address as BUILDKIT_HOST takes it.
	BuildkitAddr string
	// Registry is reachable by the daemon and by this process.
	Registry *Registry
	// Platform is the platform whose RUN instructions the daemon runs natively.
	Platform string
	// Mirrored is true if the daemon pulls Docker Hub's names from Registry,
	// and nothing from other hosts.
	Mirrored bool
	// Builder describes the builder in a few words.
	Builder string
	// BinDir holds links to the tools, and comes first on PATH.
	BinDir string
	// DockerConfig is the DOCKER_CONFIG of the commands, a directory of this
	// environment. Tests can add CLI plugins under cli-plugins.
	DockerConfig string
	// Dir is a directory with a short path (for unix sockets). Close removes it.
	Dir string

	log     io.Writer
	extra   []string // environment variables that commands get
	daemon  *daemon  // nil if the harness did not start the daemon
	mu      sync.Mutex
	nodes   []*daemon // further daemons
	closers []func(grace time.Duration) error
}

// stopGrace is the time that a daemon gets to end.
const stopGrace = 20 * time.Second

// UnavailableError is the error on a machine that cannot run a builder or another program
// of a test.
type UnavailableError struct {
	Reason string
}

// Error returns the reason.
func (e *UnavailableError) Error() string { return "not available: " + e.Reason }

// Start starts a registry with base images, and starts or finds a BuildKit daemon.
// The caller ends the environment with [Env.Close]. Start returns an
// [*UnavailableError] on a machine that can run no daemon.
func Start(ctx context.Context, opts Options) (*Env, error) {
	mode, err := chooseMode(ctx, opts)
	if err != nil {
		return nil, err
	}
	if opts.Log == nil {
		opts.Log = os.Stderr
	}
	// A unix socket's path has at most 108 bytes, which TMPDIR may use up.
	parent := os.TempDir()
	if runtime.GOOS == "linux" {
		parent = "/tmp"
	}
	if err := removeStale(parent); err != nil {
		fmt.Fprintln(opts.Log, "removing directories of killed runs:", err)
	}
	dir, err := makeDir(parent)
	if err != nil {
		return nil, err
	}
	env := &Env{
		Platform: Platform(), Dir: dir, log: opts.Log,
		BinDir: filepath.Join(dir, "bin"), DockerConfig: filepath.Join(dir, "docker"),
	}
	env.atEnd(func(time.Duration) error { return os.RemoveAll(dir) })
	if err := env.start(ctx, mode, opts); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the test environment: %w", err), env.Close())
	}
	return env, nil
}

func (e *Env) start(ctx context.Context, mode mode, opts Options) error {
	_, inDocker := mode.(dockerBuilder)
	clients := inDocker || !opts.NoClients
	if err := os.MkdirAll(e.BinDir, 0o755); err != nil {
		return err
	}
	if clients {
		if err := e.linkTools(ctx, "buildctl", "docker-buildx", "docker"); err != nil {
			return err
		}
	}
	registry, err := startRegistry(ctx, filepath.Join(e.Dir, "registry"))
	if err != nil {
		return err
	}
	e.Registry = registry
	e.atEnd(registry.close)
	if err := makeImages(ctx, e.log, registry, busyboxPlatforms(opts.Platforms)); err != nil {
		return err
	}
	registry.Forget()
	if err := mode.start(ctx, e); err != nil {
		return err
	}
	if clients && !inDocker {
		return e.createBuilder(ctx)
	}
	return nil
}

// busyboxPlatforms returns the platforms of the busybox image.
func busyboxPlatforms(platforms []string) []string {
	set := map[string]bool{Platform(): true}
	if platforms == nil {
		platforms = []string{"linux/amd64", "linux/arm64"}
	}
	for _, p := range platforms {
		set[p] = true
	}
	return sortedKeys(set)
}

// linkTools builds the tools, and links them into directories on PATH.
func (e *Env) linkTools(ctx context.Context, names ...string) error {
	plugins := filepath.Join(e.DockerConfig, "cli-plugins")
	for _, dir := range []string{e.BinDir, plugins} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for _, name := range names {
		path, err := toolchain.Ensure(ctx, e.log, name)
		if err != nil {
			return err
		}
		dirs := []string{e.BinDir}
		if name == "docker-buildx" {
			dirs = append(dirs, plugins)
		}
		for _, dir := range dirs {
			if err := os.Symlink(path, filepath.Join(dir, filepath.Base(path))); err != nil {
				return err
			}
		}
	}
	return nil
}

// Client connects to the daemon. The caller closes it.
func (e *Env) Client(ctx context.Context) (*bkclient.Client, error) {
	return bkclient.New(ctx, e.BuildkitAddr)
}

// DaemonLog returns the output of the harness's own daemon so far.
func (e *Env) DaemonLog() string {
	if e.daemon == nil {
		return ""
	}
	return e.daemon.proc.log.String()
}

// atEnd makes Close call end. The returned function calls it earlier; it runs only
// once.
func (e *Env) atEnd(end func(grace time.Duration) error) func(grace time.Duration) error {
	var once sync.Once
	first := func(grace time.Duration) (err error) {
		once.Do(func() { err = end(grace) })
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closers = append(e.closers, first)
	return first
}

// Close ends all processes of the environment in reverse order, and removes its
// files.
func (e *Env) Close() error { return e.close(stopGrace) }

// close gives each process time to end, and then kills it.
func (e *Env) close(grace time.Duration) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for _, end := range slices.Backward(e.closers) {
		errs = append(errs, end(grace))
	}
	e.closers = nil
	return errors.Join(errs...)
}
