package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// Browser returns the path of a Chromium that needs no screen.
func (e *Env) Browser(ctx context.Context) (string, error) {
	return e.program(ctx, []string{"chromium-headless-shell", "fonts-dejavu-core"},
		"chromium-headless-shell", "chromium", "google-chrome", "chromium-browser")
}

// Graphviz returns the path of Graphviz's dot.
func (e *Env) Graphviz(ctx context.Context) (string, error) {
	return e.program(ctx, []string{"graphviz"}, "dot")
}

// program returns the path of the first program of names that is on PATH. It installs
// Debian packages if there is none.
func (e *Env) program(ctx context.Context, packages []string, names ...string) (string, error) {
	var path string
	err := toolchain.Install(ctx, e.log, func() (err error) {
		for _, name := range names {
			if path, err = exec.LookPath(name); err == nil {
				return nil
			}
		}
		return fmt.Errorf("none of these is installed: %s", strings.Join(names, ", "))
	}, packages...)
	return path, err
}

// NpmFile returns the path of a file of an npm package, "NAME@VERSION", downloaded once
// into the user's cache.
func (e *Env) NpmFile(ctx context.Context, pkg, file string) (string, error) {
	cache, err := toolchain.CacheDir(ctx)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "npm-files")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	root := filepath.Join(dir, pkg)
	path := filepath.Join(root, "package", filepath.FromSlash(file))
	unlock, err := lockedfile.MutexAt(root + ".lock").Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	npm, err := e.program(ctx, []string{"npm"}, "npm")
	if err != nil {
		return "", err
	}
	fmt.Fprintf(e.log, "downloading %s (once)\n", pkg)
	tmp, err := os.MkdirTemp(dir, "pack")
	if err != nil {
		return "", err
	}
	if err = unpackNpm(ctx, npm, tmp, pkg, file); err == nil {
		err = os.Rename(tmp, root)
	}
	return path, errors.Join(err, os.RemoveAll(tmp))
}

// unpackNpm downloads a package and takes a file out of it.
func unpackNpm(ctx context.Context, npm, dir, pkg, file string) error {
	if err := toolchain.RunIn(ctx, dir, npm, "pack", "--silent", pkg); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("npm pack %s left %d files: %w", pkg, len(archives), err)
	}
	if err := toolchain.RunIn(ctx, dir, "tar", "-xzf", archives[0], "package/"+file); err != nil {
		return err
	}
	return os.Remove(archives[0])
}
