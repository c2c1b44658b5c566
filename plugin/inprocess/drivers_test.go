package inprocess

import (
	"context"
	"testing"

	"github.com/docker/buildx/driver"
	"github.com/moby/buildkit/client"
)

// preparing is a driver that prepares builds and connects anew for each.
type preparing struct{ driver.Driver }

func (preparing) PrepareBuild(_ context.Context, o *driver.PrepareBuildOptions) error {
	o.SolveOpt.Ref = "prepared"
	return nil
}

func (preparing) RequiresUncachedClient() bool { return true }

func TestDriversAskForNoFrontend(t *testing.T) {
	opts := driver.PrepareBuildOptions{SolveOpt: &client.SolveOpt{Frontend: "dockerfile.v0"}}
	var f Frontend
	d := noFrontend{preparing{}, f.prepared}
	if err := d.PrepareBuild(t.Context(), &opts); err != nil {
		t.Fatal(err)
	}
	if opts.SolveOpt.Frontend != "" {
		t.Errorf("frontend %q is still asked for", opts.SolveOpt.Frontend)
	}
	if opts.SolveOpt.Ref != "prepared" {
		t.Error("the wrapped driver did not prepare the build")
	}
	if f.solves[partID{ref: "prepared"}] != opts.SolveOpt {
		t.Error("the solve is not known to the frontend")
	}
	if !d.RequiresUncachedClient() {
		t.Error("the wrapped driver's need of a client of its own is lost")
	}
	if (noFrontend{struct{ driver.Driver }{}, nil}).RequiresUncachedClient() {
		t.Error("a driver that does not ask for it needs a client of its own")
	}
}

func TestRegisterDrivers(t *testing.T) {
	before := driver.GetFactories(false)
	restore := (&Frontend{}).RegisterDrivers()
	for _, name := range []string{"docker", "docker-container", "kubernetes", "remote"} {
		f, err := driver.GetFactory(name, false)
		if err != nil {
			t.Error(err)
			continue
		}
		if !isWrapped(f) {
			t.Errorf("driver %s is not wrapped but %T", name, f)
		}
	}
	f, err := driver.GetFactory("remote", true)
	if err != nil {
		t.Fatal(err)
	}
	h, err := driver.GetDriver(t.Context(), f, driver.InitConfig{EndpointAddr: "tcp://example.invalid:1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := h.Driver.(driver.BuildPreparer); !ok {
		t.Error("a remote node's driver prepares no builds")
	}

	restore()
	after := driver.GetFactories(false)
	if len(after) != len(before) {
		t.Fatalf("%d factories before, %d after", len(before), len(after))
	}
	for i := range before {
		if before[i].Name() != after[i].Name() || isWrapped(after[i]) {
			t.Errorf("factory %s is not restored", before[i].Name())
		}
	}
}

func isWrapped(f driver.Factory) bool {
	_, ok := f.(factory)
	return ok
}
