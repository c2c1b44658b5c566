package harness

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/stagebuild/stagebuild/integration/toolchain"
)

// maxState is what the state of a builder may take up of the disk, in MB: what is kept
// in any case, what is to be free, and the most.
const maxState = "4000,4000,16000"

// StartBuilder starts a daemon beside the first, and makes it a buildx builder of
// the given name. Its state stays in the user's cache for the next run, as that of
// a builder does: with it the files of cache mounts, which are minutes of
// compiling. Beyond maxState the daemon removes what was used longest ago. Who asks for
// the same builder meanwhile waits.
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
	d, err := e.startNode(ctx, name, "--root", state, "--oci-worker-gc-keepstorage", maxState)
	if err != nil {
		return err
	}
	_, err = e.Buildx(ctx, "create", "--name", name, "--driver", "remote", d.addr)
	return err
}
