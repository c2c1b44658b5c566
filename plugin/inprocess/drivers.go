package inprocess

import (
	"context"

	"github.com/docker/buildx/driver"

	// The drivers of buildx's own program. Each registers its factory when it is
	// imported. The plugin imports them only here, so that RegisterDrivers sees all.
	_ "github.com/docker/buildx/driver/cloud"
	_ "github.com/docker/buildx/driver/docker"
	_ "github.com/docker/buildx/driver/docker-container"
	_ "github.com/docker/buildx/driver/kubernetes"
	_ "github.com/docker/buildx/driver/remote"

	// A faster gRPC encoding of BuildKit's messages.
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto"

	// Login to Kubernetes clusters with OpenID Connect.
	_ "k8s.io/client-go/plugin/pkg/client/auth/oidc"
)

// RegisterDrivers wraps every driver factory of buildx, so that the drivers remove the
// frontend from solve requests and [Frontend.Handler] can run it instead. Call it before
// loading a builder. The returned function restores buildx's factories.
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

// factory is a driver.Factory that wraps its drivers in noFrontend.
type factory struct {
	driver.Factory
	prepared func(*driver.PrepareBuildOptions)
}

// New returns the driver of a builder node. It implements [driver.Factory].
func (f factory) New(ctx context.Context, cfg driver.InitConfig) (driver.Driver, error) {
	d, err := f.Factory.New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return noFrontend{d, f.prepared}, nil
}

// noFrontend is a driver that removes the frontend from solve requests. buildx then
// solves an empty request, and passes the session's gateway client to the build handler.
type noFrontend struct {
	driver.Driver
	prepared func(*driver.PrepareBuildOptions) // called with every solve request
}

// PrepareBuild calls the wrapped driver, and then removes the frontend.
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

// RequiresUncachedClient calls the wrapped driver, because the embedded interface does
// not have the method. Load-balancing drivers need it.
// It implements [driver.UncachedClientDriver].
func (d noFrontend) RequiresUncachedClient() bool {
	p, ok := d.Driver.(driver.UncachedClientDriver)
	return ok && p.RequiresUncachedClient()
}
