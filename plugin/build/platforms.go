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

// onePlatformError is the error for an engine that cannot store images for several
// platforms.
type onePlatformError struct {
	builder   string
	requested []ocispecs.Platform
}

// Error lists ways to build for the requested platforms. buildx fails too, but suggests
// what an older engine does not have.
func (e *onePlatformError) Error() string {
	names := make([]string, len(e.requested))
	for i, p := range e.requested {
		names[i] = platforms.Format(p)
	}
	return fmt.Sprintf(`the Docker Engine of builder %q cannot store one image for several platforms (%s).
Build one image for each platform with: --tag 'NAME:{{.Arch}}'
Or create a builder that can --push such an image with: docker buildx create --use --driver docker-container
Or enable the containerd image store of Docker Engine 24 or later: https://docs.docker.com/go/build-multi-platform/`,
		e.builder, strings.Join(names, ", "))
}

// checkPlatforms returns an error if several platforms are requested of an engine that
// stores images for one platform.
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
