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

	"github.com/stagebuild/stagebuild/integration/toolchain"
)

// goCacheDir is where the builds of the examples mount Go's build cache.
const goCacheDir = "/root/.cache/go-build"

// smallProgram and httpService import what the examples do, as far as it matters.
const (
	smallProgram = "context errors flag fmt log/slog net os os/signal strings sync syscall text/tabwriter time unicode"
	httpService  = smallProgram + " encoding/json net/http net/http/pprof"
)

// warmUps are the packages that are compiled for each platform.
func warmUps() map[string]string {
	return map[string]string{
		"linux/amd64": httpService, "linux/arm64": httpService,
		"darwin/arm64": smallProgram, "windows/amd64": smallProgram,
	}
}

// WarmGoCache fills the daemon's cache mount at /root/.cache/go-build with what Go
// once compiled of its standard library for some platforms, without cgo and with
// -trimpath. A daemon of the harness begins with nothing, where a user's has built
// before: it would be a minute of a core, on every run, that says nothing about a
// Dockerfile.
func (e *Env) WarmGoCache(ctx context.Context, platforms ...string) error {
	cache, err := toolchain.CacheDir(ctx)
	if err != nil {
		return err
	}
	shell, err := busyboxLayer(ctx, e.log, cache, hostPlatform())
	if err != nil {
		return err
	}
	layers := []v1.Layer{shell}
	for _, platform := range platforms {
		layer, err := e.goCacheLayer(ctx, cache, platform)
		if err != nil {
			return fmt.Errorf("compiling Go's standard library for %s: %w", platform, err)
		}
		layers = append(layers, layer)
	}
	config := v1.Config{Env: []string{"PATH=" + busyboxPath}}
	index, err := appendImage(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), hostPlatform(), config, layers...)
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

// goCacheLayer makes the layer of what Go compiles for a platform.
func (e *Env) goCacheLayer(ctx context.Context, cache, platform string) (*cachedLayer, error) {
	imports, ok := warmUps()[platform]
	if !ok {
		return nil, errors.New("it is not known what for")
	}
	goroot, version, err := toolchain.GoRoot(ctx)
	if err != nil {
		return nil, err
	}
	key := []string{"2", version, hostPlatform(), platform, imports, warmUpTest}
	return makeLayer(ctx, cache, "gocache-"+strings.ReplaceAll(platform, "/", "-"), key, func(t *tree) {
		fmt.Fprintf(e.log, "compiling Go's standard library for %s (once)\n", platform)
		t.err = e.warmUp(ctx, filepath.Join(goroot, "bin", "go"), platform, imports, func(dir string) error {
			t.addTree("cache", dir, func(string, bool) bool { return false })
			return t.err
		})
	})
}

// warmUpTest is tested and vetted, which needs more than a build.
const warmUpTest = `package main

import (
	"net/http/httptest"
	"testing"
)

func TestNothing(t *testing.T) { httptest.NewRecorder() }
`

// warmUp compiles a program that imports packages of the standard library, and
// hands the folder of Go's cache to use, for as long as that runs.
func (e *Env) warmUp(ctx context.Context, goCommand, platform, imports string, use func(dir string) error) (err error) {
	dir, err := os.MkdirTemp(e.Dir, "gocache")
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
		"main.go":      "package main\n\nimport (\n\t_ \"" + strings.Join(strings.Fields(imports), "\"\n\t_ \"") + "\"\n)\n\nfunc main() {}\n",
		"main_test.go": warmUpTest,
	} {
		if err := os.WriteFile(filepath.Join(module, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	commands := [][]string{{"build", "-o", os.DevNull, "."}}
	if platform == hostPlatform() {
		commands = append(commands, []string{"vet", "."}, []string{"test", "."})
	}
	goos, goarch, _ := strings.Cut(platform, "/")
	for _, args := range commands {
		cmd := exec.CommandContext(ctx, goCommand, args...)
		cmd.Dir = module
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-trimpath", "GOTOOLCHAIN=local", "GOWORK=off",
			"GOCACHE="+cache, "GOOS="+goos, "GOARCH="+goarch)
		if _, err := capture(cmd, goCommand, args); err != nil {
			return err
		}
	}
	return use(cache)
}
