// Package harness starts what the integration tests and the demo run against:
// a real buildkitd with runc, and a real registry that serves base images
// under Docker Hub's names, so that Dockerfiles read as users write them.
// Everything listens on loopback or on unix sockets, nothing leaves the
// machine during a build, and every request to the registry can be read back.
//
// What a test binary does with it:
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
//   - BUILDKIT_HOST, where it is set: that daemon as it is. Its registry
//     mirrors cannot be changed from outside, so base images come from where
//     it gets them, and [Env.Mirrored] is false.
//   - On Linux as root: a daemon of the harness's own. Tools that are missing
//     are built, Debian packages that are missing are downloaded. What then
//     cannot start is a failure, never a skip.
//   - Elsewhere, with a Docker Engine on this Linux machine: a docker-container
//     builder, with the same configuration as the daemon above. This takes
//     BuildKit's image from Docker Hub (or from where STAGEBUILD_BUILDKIT_IMAGE
//     says).
//   - Otherwise there is nothing to run against: [UnavailableError].
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

	"github.com/stagebuild/stagebuild/integration/toolchain"
)

// Options changes what [Start] starts. The zero value is what tests want.
type Options struct {
	// Log gets a line about each thing that takes long; nil is standard error.
	Log io.Writer
	// Platforms are those of the busybox image; nil is linux/amd64 and
	// linux/arm64. The machine's own is always among them.
	Platforms []string
	// PreferDocker uses a Docker Engine, where one works, also when a daemon
	// of the harness's own could be started. STAGEBUILD_PREFER_DOCKER=1 in the
	// environment says the same.
	PreferDocker bool
	// NoClients leaves out buildctl, buildx and the docker CLI, which on a
	// fresh machine take minutes to build: for who only runs the plugin. A
	// builder in a Docker Engine needs them in any case.
	NoClients bool
}

// Env is a running environment. Its methods are safe for concurrent use.
type Env struct {
	// BuildkitAddr is the daemon's address as BUILDKIT_HOST takes it.
	BuildkitAddr string
	// Registry is reachable by the daemon and by this process.
	Registry *Registry
	// Platform is the one whose RUN instructions the daemon runs natively.
	Platform string
	// Mirrored says that the daemon pulls Docker Hub's names from Registry
	// and nothing from elsewhere.
	Mirrored bool
	// Builder says in a few words what runs the builds.
	Builder string
	// BinDir holds links to the tools, and comes first on PATH.
	BinDir string
	// DockerConfig is the DOCKER_CONFIG of the commands: a folder of this
	// environment, where CLI plugins can be put under cli-plugins.
	DockerConfig string
	// Dir is a folder with a short path (for unix sockets) that is removed
	// with the environment.
	Dir string

	log     io.Writer
	extra   []string // environment variables that commands get
	daemon  *daemon  // nil when the daemon is not this harness's
	mu      sync.Mutex
	nodes   []*daemon // those beside it
	closers []func(grace time.Duration) error
}

// stopGrace is the time that a daemon gets to end.
const stopGrace = 20 * time.Second

// UnavailableError says that this machine has not what builds are to run on.
type UnavailableError struct {
	Reason string
}

// Error returns the reason.
func (e *UnavailableError) Error() string { return "nothing to test against: " + e.Reason }

// Start starts a registry with base images in it and a BuildKit daemon, or
// uses the daemon that there is. The caller ends it with [Env.Close]. It
// returns an [*UnavailableError] where the machine can run neither.
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
		fmt.Fprintln(opts.Log, "removing what an earlier run left:", err)
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

// busyboxPlatforms adds what is always made to what was asked for.
func busyboxPlatforms(asked []string) []string {
	set := map[string]bool{Platform(): true}
	if asked == nil {
		asked = []string{"linux/amd64", "linux/arm64"}
	}
	for _, p := range asked {
		set[p] = true
	}
	return sortedKeys(set)
}

// linkTools makes the tools, and links them where commands find them.
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

// DaemonLog returns what the harness's own daemon wrote so far.
func (e *Env) DaemonLog() string {
	if e.daemon == nil {
		return ""
	}
	return e.daemon.proc.log.String()
}

// atEnd has the environment call end when it closes, and returns what calls it
// before that. It is called once.
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

// Close ends what Start started, last things first, and removes its files.
func (e *Env) Close() error { return e.close(stopGrace) }

// close gives every process some time to end, and then kills it.
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
