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

	"github.com/stagebuild/stagebuild/integration/toolchain"
)

// goCacheDir is where the builds of the examples mount Go's build cache.
const goCacheDir = "/root/.cache/go-build"

// smallProgram and httpService import what the examples do, as far as it matters.
const (
	smallProgram = "context errors flag fmt log/slog net os os/signal strings sync syscall text/tabwriter time unicode"
	httpService  = smallProgram + " encoding/json net/http net/http/pprof"
)

// warmUps are the platforms that Go compiles its standard library for, and the
// packages, before the first example is built.
func warmUps() map[string]string {
	return map[string]string{
		"linux/amd64": httpService, "linux/arm64": httpService,
		"darwin/arm64": smallProgram, "windows/amd64": smallProgram,
	}
}

// WarmGoCache fills the daemon's cache mount at /root/.cache/go-build with what Go
// once compiled of its standard library, without cgo and with -trimpath. A daemon
// of the harness begins with nothing, where a user's has built before: it would be
// a minute of a core, on every run, that says nothing about a Dockerfile.
func (e *Env) WarmGoCache(ctx context.Context) error {
	cache, err := toolchain.CacheDir(ctx)
	if err != nil {
		return err
	}
	goroot, version, err := toolchain.GoRoot(ctx)
	if err != nil {
		return err
	}
	key := []string{"1", version, hostPlatform(), warmUpTest}
	for _, platform := range sortedKeys(warmUps()) {
		key = append(key, platform, warmUps()[platform])
	}
	layer, err := makeLayer(ctx, cache, "gocache-"+version, key, func(t *tree) {
		fmt.Fprintf(e.log, "compiling Go's standard library for the examples (once)\n")
		t.err = e.warmUp(ctx, filepath.Join(goroot, "bin", "go"), func(dir string) error {
			t.addTree("cache", dir, func(string, bool) bool { return false })
			return t.err
		})
	})
	if err != nil {
		return err
	}
	index, err := appendImage(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), hostPlatform(), v1.Config{}, layer)
	if err != nil {
		return err
	}
	if err := e.Registry.PushIndex(ctx, "harness/gocache:latest", index); err != nil {
		return err
	}
	dir := filepath.Join(e.Dir, "warm")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text := fmt.Sprintf("FROM busybox\nRUN --mount=from=%s,target=/warm --mount=type=cache,target=%s cp -r /warm/cache/. %s\n",
		e.Registry.Ref("harness/gocache:latest"), goCacheDir, goCacheDir)
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644); err != nil {
		return err
	}
	_, err = e.Buildctl(ctx, "build", "--frontend=dockerfile.v0", "--local=context="+dir, "--local=dockerfile="+dir)
	return err
}

// warmUpTest is tested and vetted, which needs more than a build.
const warmUpTest = `package main

import (
	"net/http/httptest"
	"testing"
)

func TestNothing(t *testing.T) { httptest.NewRecorder() }
`

// warmUp compiles programs that import packages of the standard library, and
// hands the folder of Go's cache to use, for as long as that runs.
func (e *Env) warmUp(ctx context.Context, goCommand string, use func(dir string) error) (err error) {
	dir, err := os.MkdirTemp(e.Dir, "gocache")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	module, cache := filepath.Join(dir, "module"), filepath.Join(dir, "cache")
	run := func(platform, imports string, args ...string) error {
		goos, goarch, _ := strings.Cut(platform, "/")
		program := "package main\n\nimport (\n\t_ \"" + strings.Join(strings.Fields(imports), "\"\n\t_ \"") + "\"\n)\n\nfunc main() {}\n"
		if err := os.WriteFile(filepath.Join(module, "main.go"), []byte(program), 0o644); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, goCommand, args...)
		cmd.Dir = module
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-trimpath", "GOTOOLCHAIN=local", "GOWORK=off",
			"GOCACHE="+cache, "GOOS="+goos, "GOARCH="+goarch)
		_, err := capture(cmd, goCommand, args)
		return err
	}
	if err := os.Mkdir(module, 0o755); err != nil {
		return err
	}
	for name, text := range map[string]string{"go.mod": "module example.com/warm\n\ngo 1.26\n", "main_test.go": warmUpTest} {
		if err := os.WriteFile(filepath.Join(module, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	for platform, imports := range warmUps() {
		if err := run(platform, imports, "build", "-o", os.DevNull, "."); err != nil {
			return err
		}
	}
	for _, command := range []string{"vet", "test"} {
		if err := run(hostPlatform(), httpService, command, "."); err != nil {
			return err
		}
	}
	return use(cache)
}
