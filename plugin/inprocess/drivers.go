package inprocess

import (
	"context"

	"github.com/docker/buildx/driver"

	// The drivers that buildx itself is built with: each of them registers its
	// factory when it is imported. This is the one place of the plugin that
	// imports them, because RegisterDrivers must see them all.
	_ "github.com/docker/buildx/driver/cloud"
	_ "github.com/docker/buildx/driver/docker"
	_ "github.com/docker/buildx/driver/docker-container"
	_ "github.com/docker/buildx/driver/kubernetes"
	_ "github.com/docker/buildx/driver/remote"

	// The codec that BuildKit's API is fast with.
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto"

	// Logging in to Kubernetes clusters with OpenID Connect.
	_ "k8s.io/client-go/plugin/pkg/client/auth/oidc"
)

// RegisterDrivers replaces every driver factory that buildx knows by one whose
// drivers ask the daemon for no frontend, so that [Frontend.Handler] decides
// which one runs. Builders have to be loaded after it. The returned function
// puts buildx's own factories back.
func (f *Frontend) RegisterDrivers() (restore func()) {
	var undo []func()
	for _, known := range driver.GetFactories(false) {
		undo = append(undo, driver.Register(factory{known, f.prepared}))
	}
	return func() {
		for _, u := range undo {
			u()
		}
	}
}

// factory is a driver.Factory whose drivers are wrapped in noFrontend.
type factory struct {
	driver.Factory
	prepared func(*driver.PrepareBuildOptions)
}

// New makes the driver of a builder node.
func (f factory) New(ctx context.Context, cfg driver.InitConfig) (driver.Driver, error) {
	d, err := f.Factory.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return noFrontend{d, f.prepared}, nil
}

// noFrontend is a driver that takes the frontend out of a solve. buildx then
// solves an empty request, which costs the daemon nothing, and hands the
// session's gateway client to the build handler.
type noFrontend struct {
	driver.Driver
	prepared func(*driver.PrepareBuildOptions) // is told of every solve
}

// PrepareBuild lets the driver itself prepare the solve first.
// It implements [driver.BuildPreparer].
func (d noFrontend) PrepareBuild(ctx context.Context, o *driver.PrepareBuildOptions) error {
	if p, ok := d.Driver.(driver.BuildPreparer); ok {
		if err := p.PrepareBuild(ctx, o); err != nil {
			return err
		}
	}
	o.SolveOpt.Frontend = ""
	d.prepared(o)
	return nil
}

// RequiresUncachedClient answers for the wrapped driver: embedding the
// interface hides the method, and a load-balancing driver relies on it.
// It implements [driver.UncachedClientDriver].
func (d noFrontend) RequiresUncachedClient() bool {
	p, ok := d.Driver.(driver.UncachedClientDriver)
	return ok && p.RequiresUncachedClient()
}
