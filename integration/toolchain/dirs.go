package toolchain

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Root returns the folder of the repository: that of the module that the
// working directory belongs to.
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

// CacheDir returns the folder that keeps what is expensive to make between
// runs and clones: $STAGEBUILD_CACHE, or else "stagebuild" in the user's cache
// folder ($XDG_CACHE_HOME or ~/.cache on Linux), or else .cache in the
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
