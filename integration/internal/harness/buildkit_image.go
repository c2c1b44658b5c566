package harness

import (
	"context"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// PushBuildKit pushes the image of a docker-container builder as "repository:tag":
// the harness's buildkitd and the files that it needs in a container.
func (e *Env) PushBuildKit(ctx context.Context, repo string) error {
	cache, err := toolchain.CacheDir(ctx)
	if err != nil {
		return err
	}
	names := []string{"buildkitd", "buildctl", "runc"} // all of them static
	paths := make([]string, len(names))
	for i, name := range names {
		if paths[i], err = toolchain.Ensure(ctx, e.log, name); err != nil {
			return err
		}
	}
	// The path of a tool changes with its version.
	layer, err := makeLayer(ctx, cache, "buildkit", append([]string{"1"}, paths...), func(t *tree) {
		fmt.Fprintf(e.log, "packing %s for an image of BuildKit (once)\n", strings.Join(names, ", "))
		t.dir("tmp", 0o1777)
		for i, name := range names {
			t.copyFile("usr/bin/"+name, paths[i])
		}
	})
	if err != nil {
		return err
	}
	config := v1.Config{Entrypoint: []string{"buildkitd"}, Env: []string{"PATH=/usr/bin"}}
	index, err := appendImage(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), Platform(), config, layer)
	if err != nil {
		return err
	}
	return e.Registry.PushIndex(ctx, repo, index)
}
