package build

import (
	"context"
	"fmt"
	"strings"

	"github.com/containerd/platforms"
	"github.com/docker/buildx/driver"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/plugin/connect"
)

// onePlatformError says that an engine's images are of one platform each.
type onePlatformError struct {
	builder   string
	requested []ocispecs.Platform
}

// Error says what was asked for and how to get it. buildx, which refuses such a
// build too, advises what an older engine does not have.
func (e *onePlatformError) Error() string {
	names := make([]string, len(e.requested))
	for i, p := range e.requested {
		names[i] = platforms.Format(p)
	}
	return fmt.Sprintf(`the images of the Docker Engine of builder %q are for one platform each, not for %s.
Give each platform an image of its own with: --tag 'NAME:{{.Arch}}'
Make a builder whose images are for several, to --push, with: docker buildx create --use --driver docker-container
Docker Engine 24 or later has such images itself, in the containerd image store: https://docs.docker.com/go/build-multi-platform/`,
		e.builder, strings.Join(names, ", "))
}

// checkPlatforms returns an error where the builder is an engine whose images are
// of one platform, and several are requested.
func checkPlatforms(ctx context.Context, b *connect.Builder, requested []ocispecs.Platform) error {
	if len(requested) < 2 || b.Driver != "docker" {
		return nil
	}
	for _, n := range b.Nodes {
		if n.Driver == nil {
			continue
		}
		features, err := n.Driver.Features(ctx)
		if err != nil {
			return err
		}
		if !features[driver.MultiPlatform] {
			return &onePlatformError{builder: b.Name, requested: requested}
		}
	}
	return nil
}
