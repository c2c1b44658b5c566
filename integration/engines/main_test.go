// Package engines tests the plugin and the frontend with Docker Engines, an old release
// and a current one, which `make test-engines` first builds in minutes.
package engines

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// suite is the environment that the tests of this package share.
var suite harness.Suite

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

// allKinds lists all kinds of engines.
var allKinds = []harness.EngineKind{harness.Docker20, harness.Docker29, harness.Docker29Classic}

// engine is a Docker Engine that tests share.
type engine struct {
	*harness.Engine
	env *harness.Env
}

// started holds the plugin, the frontend image and the engines that are ready for the
// tests.
var started struct {
	sync.Mutex
	plugin   bool
	frontend string // the frontend image's reference in the registry
	engines  map[harness.EngineKind]*harness.Engine
}

// each runs a test on each of the given engines in parallel.
func each(t *testing.T, kinds []harness.EngineKind, test func(t *testing.T, g engine)) {
	t.Helper()
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, start(t, kind))
		})
	}
}

// start returns an engine whose docker CLI has the plugin installed.
func start(t *testing.T, kind harness.EngineKind) engine {
	t.Helper()
	env := suite.Env(t)
	env.NeedOwnDaemon(t)
	started.Lock()
	defer started.Unlock()
	if !started.plugin {
		if _, err := env.BuildCommand(t.Context(), "docker-stagebuild"); err != nil {
			t.Fatal(err)
		}
		started.plugin = true
		started.engines = map[harness.EngineKind]*harness.Engine{}
	}
	g := started.engines[kind]
	if g == nil {
		g = startEngine(t, env, kind)
		started.engines[kind] = g
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the last lines of Docker Engine %s:\n%s", kind, g.LastLines(20))
		}
	})
	return engine{g, env}
}

// startEngine starts an engine, or skips the test on a system that cannot run one.
func startEngine(t *testing.T, env *harness.Env, kind harness.EngineKind) *harness.Engine {
	t.Helper()
	g, err := env.StartEngine(t.Context(), kind)
	if _, ok := errors.AsType[*harness.UnavailableError](err); ok {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// frontendImage pushes the frontend image under the name in users' "# syntax=" lines, and
// returns its reference in the registry.
func frontendImage(t *testing.T) string {
	t.Helper()
	started.Lock()
	defer started.Unlock()
	if started.frontend == "" {
		var err error
		if started.frontend, err = suite.Env(t).PushFrontend(t.Context(), "stagebuild/stagebuild:1"); err != nil {
			t.Fatal(err)
		}
	}
	return started.frontend
}

// with returns the engine with additional environment variables for its commands.
func (g engine) with(set ...string) engine { return engine{g.With(set...), g.env} }

// docker runs the docker CLI and returns its output.
func (g engine) docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := g.Docker(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out.Stdout)
}

// build runs `docker stagebuild build`.
func (g engine) build(t *testing.T, args ...string) {
	t.Helper()
	g.docker(t, append([]string{"stagebuild", "build"}, args...)...)
}

// wantRun checks the output of a container of an image.
func (g engine) wantRun(t *testing.T, image, want string) {
	t.Helper()
	// A missing image must not be pulled.
	if got := g.docker(t, "run", "--rm", "--pull=never", image); got != want {
		t.Errorf("a container of %s prints %q, want %q", image, got, want)
	}
}

// staged writes a build context that uses both guards and needs no emulation. Its image
// prints the selected variants.
func (g engine) staged(t *testing.T) string {
	t.Helper()
	return testkit.WriteContext(t, map[string]string{
		"copied": "copied",
		"Dockerfile": fmt.Sprintf(`# syntax=stagebuild/stagebuild:1
ARG FLAVOR=release

# For debugging.
FROM --if='FLAVOR == "debug"' busybox AS base
ENV FLAVOR=debug

FROM busybox AS base
ENV FLAVOR=release

FROM base AS app
RUN --for=%s printf run > /how
COPY --for=%s copied /how
CMD ["sh", "-c", "echo $FLAVOR, $(cat /how)"]
`, g.env.Platform, testkit.ForeignPlatform(g.env)),
	})
}

// wantFile checks the content of a file in dir.
func wantFile(t *testing.T, dir, name, want string) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is %q, want %q", name, got, want)
	}
}

// wantError checks that the error contains the given texts.
func wantError(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error does not contain %q:\n%v", w, err)
		}
	}
}
