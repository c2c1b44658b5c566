package harness

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// maxState limits the disk space of a builder's state, in MB: the space that is always
// kept, the free space to leave, and the maximum.
const maxState = "4000,4000,16000"

// StartBuilder starts another daemon, and makes it a buildx builder with the given
// name. Its state stays in the user's cache for the next run, including the files of
// cache mounts, which take minutes to compile. Beyond maxState the daemon removes the
// least recently used records. A second call for the same builder waits until the
// first environment ends.
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
