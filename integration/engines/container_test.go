package engines

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// createBuilder creates a docker-container builder in the engine, removes it when the test
// ends, and returns its name. It does so as users do, except that the local registry
// replaces Docker Hub.
func (g engine) createBuilder(t *testing.T) string {
	t.Helper()
	if err := g.env.PushBuildKit(t.Context(), "moby/buildkit:buildx-stable-1"); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "buildkitd.toml")
	if err := os.WriteFile(config, []byte(g.env.DaemonConfig()), 0o644); err != nil {
		t.Fatal(err)
	}
	name := strings.ToLower(strings.NewReplacer("/", "-", ".", "-").Replace(t.Name()))
	g.docker(t, "buildx", "create", "--name="+name, "--driver=docker-container", "--driver-opt=network=host", "--buildkitd-config="+config)
	t.Cleanup(func() {
		if _, err := g.Run(context.WithoutCancel(t.Context()), "docker", "buildx", "rm", name); err != nil {
			t.Error(err)
		}
	})
	return name
}

func TestContainerBuilder(t *testing.T) {
	each(t, allKinds, func(t *testing.T, g engine) {
		builder := g.createBuilder(t)
		dir := g.staged(t)
		// The first build starts the container.
		g.build(t, "--builder="+builder, "--load", "-t", "container", dir)
		g.wantRun(t, "container", "release, run")

		g.with("BUILDX_BUILDER="+builder).build(t, "--load", "-t", "container:env", "--build-arg=FLAVOR=debug", dir)
		g.wantRun(t, "container:env", "debug, run")

		container := "buildx_buildkit_" + builder + "0"
		g.with("BUILDKIT_HOST=docker-container://"+container).build(t, "--load", "-t", "container:host", dir)
		g.wantRun(t, "container:host", "release, run")

		// A stopped container is started again.
		g.docker(t, "stop", container)
		g.docker(t, "buildx", "use", builder)
		defer g.docker(t, "buildx", "use", "default")
		g.build(t, "--load", "-t", "container:current", dir)
		g.wantRun(t, "container:current", "release, run")

		// By default such a builder does not load its results into the engine.
		g.build(t, "-t", "container:default", dir)
		if _, err := g.Docker(t.Context(), "image", "inspect", "container:default"); err == nil {
			t.Error("a result without an output went to the engine")
		}
	})
}
