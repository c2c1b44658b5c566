// Package toolchain builds the programs that the integration tests, the demo and the
// linters run: buildkitd, buildctl, buildx, the docker CLI, a Docker Engine and more,
// each at the version that a module file under tools/ pins.
//
// A program is built once for a module file. The user's cache keeps it under a key made
// of the module file's content, the Go version and the build flags, so that a second
// clone of the repository builds nothing.
package toolchain

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	gopath "path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// tool is one program that can be built.
type tool struct {
	name    string // of the binary
	dir     string // of the module file that pins it, below the repository
	module  string // that holds the program
	pkg     string // main package, below the module
	version string // the variable that the linker sets to the module's version, or ""
	gcflags string
	tags    string // build constraints, comma-separated
	// c is true if the program uses cgo. It is linked statically all the same.
	c bool
}

// tools lists every program that [Ensure] can build.
func tools() []tool {
	return []tool{
		{name: "buildkitd", dir: "tools", module: "github.com/moby/buildkit", pkg: "cmd/buildkitd", version: "github.com/moby/buildkit/version.Version"},
		{name: "buildctl", dir: "tools", module: "github.com/moby/buildkit", pkg: "cmd/buildctl", version: "github.com/moby/buildkit/version.Version"},
		{name: "docker-buildx", dir: "tools", module: "github.com/docker/buildx", pkg: "cmd/buildx", version: "github.com/docker/buildx/version.Version"},
		{
			name: "docker", dir: "tools", module: "github.com/docker/cli", pkg: "cmd/docker",
			version: "github.com/docker/cli/cli/version.Version",
			// The CLI has no go.mod, and Go then assumes a language version
			// that is older than the one its sources need.
			gcflags: "github.com/docker/cli/...=-dwarf=false -lang=go1.26",
		},
		{name: "benchstat", dir: "tools", module: "golang.org/x/perf", pkg: "cmd/benchstat"},
		{name: "golangci-lint", dir: "tools/lint", module: "github.com/golangci/golangci-lint/v2", pkg: "cmd/golangci-lint", version: "main.version"},
		{name: "actionlint", dir: "tools/actions", module: "github.com/rhysd/actionlint", pkg: "cmd/actionlint", version: "github.com/rhysd/actionlint.version"},

		{name: "dockerd", dir: engineDir, module: "github.com/moby/moby/v2", pkg: "cmd/dockerd", version: "github.com/moby/moby/v2/dockerversion.Version", tags: "nri_no_wasm"},
		{name: "containerd", dir: engineDir, module: "github.com/containerd/containerd/v2", pkg: "cmd/containerd", version: "github.com/containerd/containerd/v2/version.Version", tags: "nri_no_wasm,no_btrfs,no_devmapper,no_zfs"},
		{name: "containerd-shim-runc-v2", dir: engineDir, module: "github.com/containerd/containerd/v2", pkg: "cmd/containerd-shim-runc-v2", version: "github.com/containerd/containerd/v2/version.Version"},
		// dockerd confines containers with seccomp, for which runc needs a C library.
		{name: "runc", dir: engineDir, module: "github.com/opencontainers/runc", tags: "seccomp", c: true},
	}
}

// engineDir holds the module file of a Docker Engine, apart from the others: it
// takes minutes to build, and a C compiler.
const engineDir = "tools/engine"

// Names lists the programs that [Ensure] can build.
func Names() []string { return names(func(tool) bool { return true }) }

// Common lists the programs that the default tests and the linters use: all but
// those of a Docker Engine.
func Common() []string { return names(func(t tool) bool { return t.dir != engineDir }) }

func names(choose func(tool) bool) []string {
	var names []string
	for _, t := range tools() {
		if choose(t) {
			names = append(names, t.name)
		}
	}
	return names
}

// Ensure returns the absolute path of the program name, and builds it first if it is not
// in the cache. It announces a build on log. Several processes may call it at the same
// time: one builds, the others wait.
func Ensure(ctx context.Context, log io.Writer, name string) (string, error) {
	for _, t := range tools() {
		if t.name == name {
			path, err := t.ensure(ctx, log)
			if err != nil {
				return "", fmt.Errorf("building %s: %w", name, err)
			}
			return path, nil
		}
	}
	return "", fmt.Errorf("no tool is named %q; the tools are %s", name, strings.Join(Names(), ", "))
}

func (t tool) ensure(ctx context.Context, log io.Writer) (string, error) {
	root, err := Root(ctx)
	if err != nil {
		return "", err
	}
	cache, err := CacheDir(ctx)
	if err != nil {
		return "", err
	}
	src := filepath.Join(root, filepath.FromSlash(t.dir))
	key, err := t.key(src)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "tools", key)
	path := filepath.Join(dir, t.name+exe())
	if isFile(path) {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	unlock, err := lockedfile.MutexAt(path + ".lock").Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if isFile(path) {
		return path, nil
	}
	return path, t.build(ctx, log, src, path)
}

// build compiles the tool to another file, and then renames it to path, which is
// therefore always complete.
func (t tool) build(ctx context.Context, log io.Writer, src, path string) error {
	version, err := goCommand(ctx, src, "list", "-m", "-f", "{{.Version}}", t.module)
	if err != nil {
		return err
	}
	if t.c {
		if err := ensureC(ctx, log); err != nil {
			return err
		}
	}
	fmt.Fprintf(log, "building %s %s (once; the first tool takes minutes)\n", t.name, version)
	start := time.Now()
	tmp := path + ".tmp"
	args := append(append([]string{"build"}, t.flags(version)...), "-o", tmp, gopath.Join(t.module, t.pkg))
	if _, err := goCommandC(ctx, t.c, src, args...); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	fmt.Fprintf(log, "built %s in %s\n", t.name, time.Since(start).Round(time.Second))
	return nil
}

func (t tool) flags(version string) []string {
	ldflags := "-s -w"
	if t.version != "" {
		ldflags += " -X " + t.version + "=" + strings.TrimSuffix(version, "+incompatible")
	}
	if t.c {
		ldflags += " -extldflags=-static"
	}
	// As in the Makefile, whose programs share compiled packages with these.
	flags := []string{"-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false", "-ldflags=" + ldflags}
	if t.tags != "" {
		flags = append(flags, "-tags="+t.tags)
	}
	if t.gcflags != "" {
		flags = append(flags, "-gcflags="+t.gcflags)
	}
	return flags
}

// key returns a hash of everything that the tool's binary depends on.
func (t tool) key(src string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, t.module, t.pkg, t.flags(""), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(src, name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d\n", name, len(data))
		h.Write(data)
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// goCommand runs the go command in dir and returns its trimmed output.
func goCommand(ctx context.Context, dir string, args ...string) (string, error) {
	return goCommandC(ctx, false, dir, args...)
}

// goCommandC is goCommand with or without C.
func goCommandC(ctx context.Context, c bool, dir string, args ...string) (string, error) {
	cgo := "CGO_ENABLED=0"
	if c {
		cgo = "CGO_ENABLED=1"
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	// A workspace or a -mod flag of the user is for another module.
	cmd.Env = append(os.Environ(), cgo, "GOWORK=off", "GOFLAGS=-mod=readonly")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}

func exe() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
