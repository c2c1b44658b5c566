package harness

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
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
	return "", fmt.Errorf("no Debian architecture for %s", platform)
}

// hubBusybox is the image that busybox is taken from on a machine without Debian
// packages.
const hubBusybox = "docker.io/library/busybox:stable"

// busyboxBinary returns the path of a static busybox for a platform,
// downloaded once into cache: Debian's, or else Docker Hub's.
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
	debErr := debianBusybox(ctx, dir, arch, path)
	if debErr == nil {
		return path, nil
	}
	fmt.Fprintf(out, "Debian's cannot be had here, downloading %s (once)\n", hubBusybox)
	if err := imageBusybox(ctx, hubBusybox, platform, path); err != nil {
		return "", fmt.Errorf("no busybox for %s: %w", platform, errors.Join(debErr, err))
	}
	return path, nil
}

// debianBusybox extracts busybox from its Debian package. dir is for temporary files.
func debianBusybox(ctx context.Context, dir, arch, path string) error {
	tmp, err := os.MkdirTemp(dir, "apt")
	if err != nil {
		return err
	}
	err = unpackPackages(ctx, tmp, arch, "busybox-static")
	if err == nil {
		err = os.Rename(filepath.Join(tmp, "root", "bin", "busybox"), path)
	}
	return errors.Join(err, os.RemoveAll(tmp))
}

// imageBusybox extracts busybox from an image, where one of its many names is a file and
// the others are hard links to it.
func imageBusybox(ctx context.Context, image, platform, path string) error {
	ref, err := name.ParseReference(image)
	if err != nil {
		return err
	}
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		return err
	}
	img, err := remote.Image(ref, remote.WithContext(ctx), remote.WithPlatform(*p))
	if err != nil {
		return fmt.Errorf("pulling %s: %w", image, err)
	}
	var busybox []byte
	err = Image{image: img}.walk(func(h *tar.Header, content io.Reader) error {
		if h.Typeflag != tar.TypeReg || !strings.HasPrefix(h.Name, "bin/") || h.Size <= int64(len(busybox)) {
			return nil
		}
		var err error
		busybox, err = io.ReadAll(content)
		return err
	})
	if err != nil {
		return err
	}
	if len(busybox) == 0 {
		return fmt.Errorf("%s for %s has no busybox", image, platform)
	}
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, busybox, 0o755); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// DebianPackage returns a directory with the files of a Debian package for this
// machine, downloaded once into the user's cache.
func (e *Env) DebianPackage(ctx context.Context, pkg string) (string, error) {
	return debianPrograms(ctx, e.log, pkg, pkg)
}

// debianPrograms returns a directory with the contents of packages for this machine. It
// downloads them once, into the cache entry called name.
func debianPrograms(ctx context.Context, out io.Writer, name string, packages ...string) (string, error) {
	cache, err := toolchain.CacheDir(ctx)
	if err != nil {
		return "", err
	}
	arch, err := debianArch(Platform())
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "debian", arch)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	root := filepath.Join(dir, name)
	unlock, err := lockedfile.MutexAt(root + ".lock").Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(root); err == nil {
		return root, nil
	}
	fmt.Fprintf(out, "downloading Debian's %s (once)\n", strings.Join(packages, ", "))
	tmp, err := os.MkdirTemp(dir, "apt")
	if err != nil {
		return "", err
	}
	if err = unpackPackages(ctx, tmp, arch, packages...); err == nil {
		err = os.Rename(filepath.Join(tmp, "root"), root)
	}
	return root, errors.Join(err, os.RemoveAll(tmp))
}

// unpackPackages downloads Debian packages of any architecture and unpacks them into
// dir/root. apt gets its own state directory, so that the machine's architectures and
// package lists do not change. A package may have a version pattern: "docker.io=20.10*".
func unpackPackages(ctx context.Context, dir, arch string, packages ...string) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("%s comes from Debian, and this machine has no apt-get: %w", strings.Join(packages, ", "), err)
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
	if err := toolchain.RunIn(ctx, deb, "apt-get", append(opts, "update")...); err != nil {
		return err
	}
	if err := toolchain.RunIn(ctx, deb, "apt-get", append(append(opts, "download"), packages...)...); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(deb, "*.deb"))
	if err != nil {
		return err
	}
	if len(files) != len(packages) {
		return fmt.Errorf("apt-get download %s downloaded %d files", strings.Join(packages, " "), len(files))
	}
	for _, file := range files {
		if err := toolchain.RunIn(ctx, dir, "dpkg-deb", "-x", file, filepath.Join(dir, "root")); err != nil {
			return err
		}
	}
	return nil
}

// ensureRunc returns the path of runc. It installs Debian's if there is none.
func ensureRunc(ctx context.Context, out io.Writer) (string, error) {
	var path string
	err := toolchain.Install(ctx, out, func() (err error) {
		path, err = findRunc()
		return err
	}, "runc")
	return path, err
}

// findRunc also searches Debian's directory of runc, which is not on PATH in a root shell
// started by su.
func findRunc() (string, error) {
	path, err := exec.LookPath("runc")
	if err != nil {
		return exec.LookPath("/usr/sbin/runc")
	}
	return path, nil
}

// Platform returns the platform whose programs run here without emulation.
func Platform() string { return "linux/" + runtime.GOARCH }
