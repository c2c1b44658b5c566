package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// binfmtDir is the directory in which programs that run other binaries are registered
// with the kernel (Documentation/admin-guide/binfmt-misc.rst).
const binfmtDir = "/proc/sys/fs/binfmt_misc"

// Emulate registers Debian's qemu-user-static with the kernel, which runs programs for
// linux/arm64 with it, on the whole machine, until undo is called. It keeps an existing
// registration. The error is an [*UnavailableError] if nothing can be registered.
func (e *Env) Emulate(ctx context.Context) (undo func() error, err error) {
	const entry = "qemu-aarch64"
	undo = func() error { return nil }
	if Platform() == "linux/arm64" {
		return undo, nil
	}
	mounted := false
	if _, err := os.Stat(filepath.Join(binfmtDir, "register")); err != nil {
		if err := unix.Mount("binfmt_misc", binfmtDir, "binfmt_misc", 0, ""); err != nil {
			return nil, &UnavailableError{fmt.Sprintf("binfmt_misc cannot be mounted: %v", err)}
		}
		mounted = true
	}
	unmount := func() error {
		if !mounted {
			return nil
		}
		return unix.Unmount(binfmtDir, 0)
	}
	if _, err := os.Stat(filepath.Join(binfmtDir, entry)); err == nil {
		return unmount, nil
	}
	rule, err := e.emulatorRule(ctx, entry)
	if err != nil {
		return nil, errors.Join(err, unmount())
	}
	if err := os.WriteFile(filepath.Join(binfmtDir, "register"), []byte(rule), 0); err != nil {
		return nil, errors.Join(fmt.Errorf("registering the emulator: %w", err), unmount())
	}
	return func() error {
		return errors.Join(os.WriteFile(filepath.Join(binfmtDir, entry), []byte("-1"), 0), unmount())
	}, nil
}

// emulatorRule returns the line that registers an emulator of Debian's
// qemu-user-static. With the flags FPOC the kernel opens the program now, so that
// it runs in any container, and gives it the credentials of the emulated program.
func (e *Env) emulatorRule(ctx context.Context, entry string) (string, error) {
	root, err := e.DebianPackage(ctx, "qemu-user-static")
	if err != nil {
		return "", err
	}
	dt, err := os.ReadFile(filepath.Join(root, "usr/share/binfmts", entry))
	if err != nil {
		return "", err
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(dt)) {
		key, value, _ := strings.Cut(line, " ")
		fields[key] = strings.TrimSpace(value)
	}
	if fields["magic"] == "" || fields["mask"] == "" {
		return "", fmt.Errorf("the description of %s has no magic: %v", entry, fields)
	}
	program := filepath.Join(root, fields["interpreter"])
	return fmt.Sprintf(":%s:M::%s:%s:%s:FPOC", entry, fields["magic"], fields["mask"], program), nil
}
