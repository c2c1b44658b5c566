package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// NPMPackage returns the archive of a package of the npm registry,
// "@esbuild/linux-x64@0.28.2", downloaded once into the user's cache.
func (e *Env) NPMPackage(ctx context.Context, spec string) (string, error) {
	cache, err := toolchain.CacheDir(ctx)
	if err != nil {
		return "", err
	}
	return npmPackage(ctx, e.log, cache, spec)
}

// NPMFile returns the path of a file of a package of the npm registry, "mermaid@12.3.0",
// unpacked once into the user's cache.
func (e *Env) NPMFile(ctx context.Context, spec, file string) (string, error) {
	archive, err := e.NPMPackage(ctx, spec)
	if err != nil {
		return "", err
	}
	path := filepath.Join(strings.TrimSuffix(archive, ".tgz"), filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	unlock, err := lockedfile.MutexAt(path + ".lock").Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	err = unpackNPM(ctx, archive, func(dir string) error {
		return os.Rename(filepath.Join(dir, filepath.FromSlash(file)), path)
	})
	return path, err
}

func npmPackage(ctx context.Context, out io.Writer, cache, spec string) (string, error) {
	dir := filepath.Join(cache, "npm")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(dir, strings.ReplaceAll(spec, "/", "+")+".tgz")
	unlock, err := lockedfile.MutexAt(path + ".lock").Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	err = toolchain.Install(ctx, out, func() error {
		_, err := exec.LookPath("npm")
		return err
	}, "npm")
	if err != nil {
		return "", err
	}
	fmt.Fprintf(out, "downloading %s from the npm registry (once)\n", spec)
	tmp, err := os.MkdirTemp(dir, "pack")
	if err != nil {
		return "", err
	}
	if err = toolchain.RunIn(ctx, tmp, "npm", "pack", spec); err == nil {
		err = renameOnly(tmp, path)
	}
	return path, errors.Join(err, os.RemoveAll(tmp))
}

// renameOnly moves the only file of a directory.
func renameOnly(dir, path string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(files) != 1 {
		return fmt.Errorf("one file was expected for %s, there are %d", path, len(files))
	}
	return os.Rename(filepath.Join(dir, files[0].Name()), path)
}

// unpackNPM unpacks an archive of the npm registry, calls use with its directory,
// and removes it.
func unpackNPM(ctx context.Context, archive string, use func(dir string) error) error {
	dir, err := os.MkdirTemp(filepath.Dir(archive), "unpacked")
	if err != nil {
		return err
	}
	err = toolchain.RunIn(ctx, dir, "tar", "--no-same-owner", "-xzf", archive)
	if err == nil {
		err = use(filepath.Join(dir, "package"))
	}
	return errors.Join(err, os.RemoveAll(dir))
}
