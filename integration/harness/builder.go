package harness

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/stagebuild/stagebuild/integration/toolchain"
)

// StartBuilder starts a daemon beside the first, and makes it a buildx builder of
// the given name. Its state stays in the user's cache for the next run, as that of
// a builder does: with it the files of cache mounts, which are minutes of
// compiling. Who asks for the same builder meanwhile waits.
func (e *Env) StartBuilder(ctx context.Context, name string) error {
	cache, err := toolchain.CacheDir(ctx)
	if err != nil {
		return err
	}
	state := filepath.Join(cache, "builders", name)
	if err := os.MkdirAll(filepath.Dir(state), 0o755); err != nil {
		return err
	}
	unlock, err := lockedfile.MutexAt(state + ".lock").Lock()
	if err != nil {
		return err
	}
	e.atEnd(func(time.Duration) error {
		unlock()
		return nil
	})
	d, err := e.startNode(ctx, name, "--root", state)
	if err != nil {
		return err
	}
	_, err = e.Buildx(ctx, "create", "--name", name, "--driver", "remote", d.addr)
	return err
}
