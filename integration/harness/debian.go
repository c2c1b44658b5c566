package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// debianArch maps a platform to Debian's name of its architecture.
func debianArch(platform string) (string, error) {
	arches := map[string]string{
		"linux/386": "i386", "linux/amd64": "amd64", "linux/arm/v7": "armhf", "linux/arm64": "arm64",
		"linux/ppc64le": "ppc64el", "linux/s390x": "s390x",
	}
	if arch, ok := arches[platform]; ok {
		return arch, nil
	}
	return "", fmt.Errorf("no architecture of Debian is %s", platform)
}

// busyboxBinary returns the path of a static busybox for a platform: Debian's,
// downloaded once into cache.
func busyboxBinary(ctx context.Context, out io.Writer, cache, platform string) (string, error) {
	arch, err := debianArch(platform)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "debian", arch)
	path := filepath.Join(dir, "busybox")
	if err := os.MkdirAll(dir, 0o755); err != nil {
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
	fmt.Fprintf(out, "downloading Debian's busybox-static for %s (once)\n", arch)
	tmp, err := os.MkdirTemp(dir, "apt")
	if err != nil {
		return "", err
	}
	err = unpackPackage(ctx, tmp, arch, "busybox-static")
	if err == nil {
		err = os.Rename(filepath.Join(tmp, "root", "bin", "busybox"), path)
	}
	return path, errors.Join(err, os.RemoveAll(tmp))
}

// unpackPackage downloads a Debian package of any architecture and unpacks it
// into dir/root. apt gets a state folder of its own, so that neither the
// machine's architectures nor its package lists change.
func unpackPackage(ctx context.Context, dir, arch, name string) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("base images are made from Debian packages, and there is no apt-get here: %w", err)
	}
	for _, sub := range []string{"state/lists/partial", "cache/archives/partial", "deb"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "status"), nil, 0o644); err != nil {
		return err
	}
	opts := []string{"-q"}
	for _, o := range []string{
		"APT::Architecture=" + arch, "APT::Architectures=" + arch, "APT::Sandbox::User=root",
		"Acquire::Languages=none", "Dir::State=" + filepath.Join(dir, "state"),
		"Dir::State::status=" + filepath.Join(dir, "status"), "Dir::Cache=" + filepath.Join(dir, "cache"),
	} {
		opts = append(opts, "-o", o)
	}
	deb := filepath.Join(dir, "deb")
	if err := runIn(ctx, deb, "apt-get", append(opts, "update")...); err != nil {
		return err
	}
	if err := runIn(ctx, deb, "apt-get", append(opts, "download", name)...); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(deb, "*.deb"))
	if err != nil {
		return err
	}
	if len(files) != 1 {
		return fmt.Errorf("apt-get download %s left %d files", name, len(files))
	}
	return runIn(ctx, dir, "dpkg-deb", "-x", files[0], filepath.Join(dir, "root"))
}

// ensureRunc returns the path of an OCI runtime, and installs Debian's where
// there is none.
func ensureRunc(ctx context.Context, out io.Writer) (string, error) {
	if path, err := exec.LookPath("runc"); err == nil {
		return path, nil
	}
	fmt.Fprintln(out, "installing Debian's runc: apt-get install runc")
	install := []string{"install", "-q", "-y", "--no-install-recommends", "runc"}
	if err := runIn(ctx, "/", "apt-get", install...); err != nil {
		// The lists of a fresh machine are empty or old.
		if err := runIn(ctx, "/", "apt-get", "update", "-q"); err != nil {
			return "", fmt.Errorf("no runc on PATH, and it cannot be installed: %w", err)
		}
		if err := runIn(ctx, "/", "apt-get", install...); err != nil {
			return "", fmt.Errorf("no runc on PATH, and it cannot be installed: %w", err)
		}
	}
	return exec.LookPath("runc")
}

// runIn runs a program quietly; what it wrote is in the error when it fails.
func runIn(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// hostPlatform is the platform whose programs run here without emulation.
func hostPlatform() string { return "linux/" + runtime.GOARCH }
