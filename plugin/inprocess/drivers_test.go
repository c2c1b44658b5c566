package inprocess

import (
	"context"
	"testing"

	"github.com/docker/buildx/driver"
	"github.com/moby/buildkit/client"
)

// preparing is a driver that sets the Ref of builds and needs uncached clients.
type preparing struct{ driver.Driver }

func (preparing) PrepareBuild(_ context.Context, o *driver.PrepareBuildOptions) error {
	o.SolveOpt.Ref = "prepared"
	return nil
}

func (preparing) RequiresUncachedClient() bool { return true }

func TestPrepareBuildRemovesFrontend(t *testing.T) {
	opts := driver.PrepareBuildOptions{SolveOpt: &client.SolveOpt{Frontend: "dockerfile.v0"}}
	var f Frontend
	d := noFrontend{preparing{}, f.prepared}
	if err := d.PrepareBuild(t.Context(), &opts); err != nil {
		t.Fatal(err)
	}
	if opts.SolveOpt.Frontend != "" {
		t.Errorf("the solve request still has the frontend %q", opts.SolveOpt.Frontend)
	}
	if opts.SolveOpt.Ref != "prepared" {
		t.Error("the wrapped driver did not prepare the build")
	}
	if f.solves[partID{ref: "prepared"}] != opts.SolveOpt {
		t.Error("the frontend did not record the solve request")
	}
	if !d.RequiresUncachedClient() {
		t.Error("RequiresUncachedClient() = false, want the wrapped driver's true")
	}
	if (noFrontend{struct{ driver.Driver }{}, nil}).RequiresUncachedClient() {
		t.Error("RequiresUncachedClient() = true for a driver without the method")
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
