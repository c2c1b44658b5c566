package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// BuildCommand compiles ./cmd/NAME of this repository as it is released,
// static, and puts it into BinDir, where [Env.Run] finds it. A name that
// begins with "docker-" also becomes a plugin of the environment's docker CLI.
// It returns the binary's path.
func (e *Env) BuildCommand(ctx context.Context, name string) (string, error) {
	path := filepath.Join(e.BinDir, name)
	if err := buildCommand(ctx, name, path); err != nil {
		return "", fmt.Errorf("building ./cmd/%s: %w", name, err)
	}
	if !strings.HasPrefix(name, "docker-") {
		return path, nil
	}
	link := filepath.Join(e.DockerConfig, "cli-plugins", name)
	if err := os.Symlink(path, link); err != nil && !os.IsExist(err) {
		return "", err
	}
	return path, nil
}

// buildCommand compiles a command and copies it to path. The compiled program stays
// in the repository's .cache directory, and go build links it again only after a
// change: the packages of tests, which run side by side, share one link of several
// seconds.
func buildCommand(ctx context.Context, name, path string) error {
	root, err := toolchain.Root(ctx)
	if err != nil {
		return err
	}
	built := filepath.Join(root, ".cache", "product", name)
	if err := os.MkdirAll(filepath.Dir(built), 0o755); err != nil {
		return err
	}
	unlock, err := lockedfile.MutexAt(built + ".lock").Lock()
	if err != nil {
		return err
	}
	defer unlock()
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false", "-ldflags=-s -w", "-o", built, "./cmd/"+name)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=", "GOARCH=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	// Another process copies: a file that this one writes cannot be executed while a
	// child of a concurrent test holds it open. The name changes hands at once, because
	// a test may run an earlier copy.
	if err := toolchain.RunIn(ctx, root, "cp", built, path+".new"); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// PushFrontend compiles the frontend and pushes its image as name
// ("stagebuild/stagebuild:1") of Docker Hub, where a Dockerfile's "# syntax="
// finds it if the environment is [Env.Mirrored]. The image is that of the
// repository's own Dockerfile; only its compiling stage, which downloads
// modules, is replaced by the compiled program. It returns the reference in
// the registry, which "# syntax=" finds in any case.
func (e *Env) PushFrontend(ctx context.Context, name string) (string, error) {
	path, err := e.BuildCommand(ctx, "stagebuild-frontend")
	if err != nil {
		return "", err
	}
	root, err := toolchain.Root(ctx)
	if err != nil {
		return "", err
	}
	compiled := filepath.Join(e.Dir, "build-frontend")
	if err := os.MkdirAll(filepath.Join(compiled, "out"), 0o755); err != nil {
		return "", err
	}
	if err := os.Link(path, filepath.Join(compiled, "out", "stagebuild-frontend")); err != nil && !os.IsExist(err) {
		return "", err
	}
	ref := e.Registry.Ref(name)
	_, err = e.Buildx(ctx, "build", "--target=image", "--build-context=build-frontend="+compiled, "--push", "--tag="+ref, root)
	return ref, err
}
