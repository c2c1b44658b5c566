// Command mktools builds the named tools of the toolchain package, or all but those of a
// Docker Engine, and links them into a directory. The Makefile and the tests use the same
// binaries.
//
//	go run ./integration/mktools -o .cache/bin golangci-lint
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

func main() {
	out := flag.String("o", filepath.Join(".cache", "bin"), "directory for the links")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	names := flag.Args()
	if len(names) == 0 {
		names = toolchain.Common()
	}
	for _, name := range names {
		if err := link(ctx, name, *out); err != nil {
			fmt.Fprintln(os.Stderr, "mktools:", err)
			os.Exit(1)
		}
	}
}

func link(ctx context.Context, name, dir string) error {
	path, err := toolchain.Ensure(ctx, os.Stderr, name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	dst := filepath.Join(dir, filepath.Base(path))
	if err := os.Remove(dst); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(path, dst); err != nil {
		return err
	}
	// Make compares the link's target with the module file, and a target from
	// the user's cache can be older than a fresh clone.
	now := time.Now()
	return os.Chtimes(path, now, now)
}
