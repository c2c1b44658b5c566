package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	bkclient "github.com/moby/buildkit/client"
	"github.com/tonistiigi/fsutil"

	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// goCacheDir is the directory of Go's build cache in the builds of the examples.
const goCacheDir = "/root/.cache/go-build"

// The imports of the examples that take long to compile.
const (
	smallProgram = "context errors flag fmt log/slog net os os/signal strings sync syscall text/tabwriter time unicode"
	httpService  = smallProgram + " encoding/json net/http net/http/pprof"
)

// warmUps returns the packages to compile for each platform.
func warmUps() map[string]string {
	return map[string]string{
		"linux/amd64": httpService, "linux/arm64": httpService,
		"darwin/arm64": smallProgram, "windows/amd64": smallProgram,
	}
}

// GoUse is a way to use Go in a build.
type GoUse int

// The uses of Go.
const (
	GoBuild GoUse = iota // go build
	GoTest               // also go vet and go test, for the machine's platform
)

// WarmGoCache fills the daemon's cache mount at /root/.cache/go-build with
// packages of Go's standard library for some platforms, compiled without cgo and
// with -trimpath. The daemons of the harness start empty; without this, each run
// would compile them again, for a minute of CPU time.
func (e *Env) WarmGoCache(ctx context.Context, use GoUse, platforms ...string) error {
	cache, err := toolchain.CacheDir(ctx)
	if err != nil {
		return err
	}
	shell, err := busyboxLayer(ctx, e.log, cache, Platform())
	if err != nil {
		return err
	}
	layers := []v1.Layer{shell}
	for _, platform := range platforms {
		layer, err := e.goCacheLayer(ctx, cache, use, platform)
		if err != nil {
			return fmt.Errorf("compiling Go's standard library for %s: %w", platform, err)
		}
		layers = append(layers, layer)
	}
	config := v1.Config{Env: []string{"PATH=" + busyboxPath}}
	index, err := appendImage(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), Platform(), config, layers...)
	if err != nil {
		return err
	}
	const repo = "harness/gocache:latest"
	if err := e.Registry.PushIndex(ctx, repo, index); err != nil {
		return err
	}
	return e.fillGoCache(ctx, e.Registry.Ref(repo))
}

// fillGoCache copies the files of an image into the cache mount.
func (e *Env) fillGoCache(ctx context.Context, image string) error {
	dir, err := os.MkdirTemp(e.Dir, "warm")
	if err != nil {
		return err
	}
	text := fmt.Sprintf("FROM %s\nRUN --mount=type=cache,target=%s cp -r /cache/. %s\n", image, goCacheDir, goCacheDir)
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644); err != nil {
		return err
	}
	files, err := fsutil.NewFS(dir)
	if err != nil {
		return err
	}
	c, err := e.Client(ctx)
	if err != nil {
		return err
	}
	_, err = c.Solve(ctx, nil, bkclient.SolveOpt{
		Frontend: "dockerfile.v0", LocalMounts: map[string]fsutil.FS{"context": files, "dockerfile": files},
	}, nil)
	return errors.Join(err, c.Close())
}

// goCacheLayer returns a layer with Go's compiled packages for a platform.
func (e *Env) goCacheLayer(ctx context.Context, cache string, use GoUse, platform string) (*cachedLayer, error) {
	imports, ok := warmUps()[platform]
	if !ok {
		return nil, errors.New("no example is built for it")
	}
	goroot, version, err := toolchain.GoRoot(ctx)
	if err != nil {
		return nil, err
	}
	name, commands := "gobuild-", [][]string{{"build", "-o", os.DevNull, "."}}
	if use == GoTest && platform == Platform() {
		name, commands = "gotest-", append(commands, []string{"vet", "."}, []string{"test", "."})
	}
	key := []string{"2", version, Platform(), platform, imports, warmUpTest, fmt.Sprint(commands)}
	return makeLayer(ctx, cache, name+strings.ReplaceAll(platform, "/", "-"), key, func(t *tree) {
		fmt.Fprintf(e.log, "compiling Go's standard library for %s (once)\n", platform)
		w := warmUp{goCommand: filepath.Join(goroot, "bin", "go"), platform: platform, imports: imports, commands: commands}
		t.err = w.run(ctx, e.Dir, func(dir string) error {
			t.addTree("cache", dir, func(string, bool) bool { return false })
			return t.err
		})
	})
}

// warmUpTest is a test with the imports of the examples' tests.
const warmUpTest = `package main

import (
	"net/http/httptest"
	"testing"
)

func TestNothing(t *testing.T) { httptest.NewRecorder() }
`

// warmUp compiles a program that imports packages of the standard library.
type warmUp struct {
	goCommand, platform, imports string
	commands                     [][]string // arguments of the go command
}

// run runs the commands in a new directory below parent. It calls use with the
// directory of Go's build cache, which it then removes.
func (w warmUp) run(ctx context.Context, parent string, use func(dir string) error) (err error) {
	dir, err := os.MkdirTemp(parent, "gocache")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	module, cache := filepath.Join(dir, "module"), filepath.Join(dir, "cache")
	if err := os.Mkdir(module, 0o755); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"go.mod":       "module example.com/warm\n\ngo 1.26\n",
		"main.go":      "package main\n\nimport (\n\t_ \"" + strings.Join(strings.Fields(w.imports), "\"\n\t_ \"") + "\"\n)\n\nfunc main() {}\n",
		"main_test.go": warmUpTest,
	} {
		if err := os.WriteFile(filepath.Join(module, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	goos, goarch, _ := strings.Cut(w.platform, "/")
	for _, args := range w.commands {
		cmd := exec.CommandContext(ctx, w.goCommand, args...)
		cmd.Dir = module
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-trimpath", "GOTOOLCHAIN=local", "GOWORK=off",
			"GOCACHE="+cache, "GOOS="+goos, "GOARCH="+goarch)
		if _, err := capture(cmd, w.goCommand, args); err != nil {
			return err
		}
	}
	return use(cache)
}
