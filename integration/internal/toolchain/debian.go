package toolchain

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Install returns nil if have does. Otherwise it installs Debian packages with apt-get,
// which it announces on log, and returns the error of another call of have.
func Install(ctx context.Context, log io.Writer, have func() error, packages ...string) error {
	if have() == nil {
		return nil
	}
	// Test packages run concurrently, and each would install them.
	cache, err := CacheDir(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(cache, "apt.lock")).Lock()
	if err != nil {
		return err
	}
	defer unlock()
	missing := have()
	if missing == nil {
		return nil
	}
	list := strings.Join(packages, " ")
	fmt.Fprintf(log, "installing Debian packages: apt-get install %s\n", list)
	// Others may be installing something too.
	wait := []string{"-o", "DPkg::Lock::Timeout=300", "-q"}
	install := append(append(wait, "install", "-y", "--no-install-recommends"), packages...)
	if RunIn(ctx, "/", "apt-get", install...) != nil {
		// The lists of a fresh machine are empty or old.
		err := RunIn(ctx, "/", "apt-get", append(wait, "update")...)
		if err == nil {
			err = RunIn(ctx, "/", "apt-get", install...)
		}
		if err != nil {
			return fmt.Errorf("%w; installing %s failed: %w", missing, list, err)
		}
	}
	return have()
}

// RunIn runs a program in dir. If it fails, the error contains its output.
func RunIn(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// ensureC installs the C compiler and libraries of the tools that use cgo.
func ensureC(ctx context.Context, log io.Writer) error {
	return Install(ctx, log, func() error {
		if _, err := exec.LookPath("gcc"); err != nil {
			return err
		}
		return RunIn(ctx, "/", "pkg-config", "--exists", "--print-errors", "libseccomp")
	}, "gcc", "libc6-dev", "libseccomp-dev", "pkg-config")
}
