package toolchain

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Root returns the root directory of the repository, which is the module that contains
// the working directory.
func Root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	mod := strings.TrimSpace(string(out))
	if mod == "" || mod == os.DevNull {
		return "", fmt.Errorf("the working directory is not in the repository")
	}
	return filepath.Dir(mod), nil
}

// CacheDir returns the directory for tools and images that are kept between runs
// and clones: $STAGEBUILD_CACHE, or else "stagebuild" in the user's cache
// directory ($XDG_CACHE_HOME or ~/.cache on Linux), or else .cache in the
// repository for a user without a home.
func CacheDir(ctx context.Context) (string, error) {
	if dir := os.Getenv("STAGEBUILD_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	if dir, err := os.UserCacheDir(); err == nil {
		return filepath.Join(dir, "stagebuild"), nil
	}
	root, err := Root(ctx)
	if err != nil {
		return "", err
	}
	return filepath.Join(root, ".cache"), nil
}

// GoRoot returns the directory of the Go release that go.mod asks for, and its version
// ("1.26.8"). The go command downloads it if another release runs.
func GoRoot(ctx context.Context) (dir, version string, err error) {
	root, err := Root(ctx)
	if err != nil {
		return "", "", err
	}
	version, err = goCommand(ctx, root, "list", "-m", "-f", "{{.GoVersion}}")
	if err != nil {
		return "", "", err
	}
	cmd := exec.CommandContext(ctx, "go", "env", "GOROOT")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=go"+version)
	out, err := cmd.Output()
	if err != nil {
		return "", "", fmt.Errorf("go env GOROOT with Go %s: %w", version, err)
	}
	return strings.TrimSpace(string(out)), version, nil
}

// ModuleVersion returns the version of a module that go.mod asks for.
func ModuleVersion(ctx context.Context, module string) (string, error) {
	root, err := Root(ctx)
	if err != nil {
		return "", err
	}
	return goCommand(ctx, root, "list", "-m", "-f", "{{.Version}}", module)
}
