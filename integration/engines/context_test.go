package engines

import (
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// TestDockerContexts builds with two engines, selected by docker contexts. Each image must
// be in the engine of the selected context.
func TestDockerContexts(t *testing.T) {
	here, there := start(t, harness.Docker29), start(t, harness.Docker20)
	dir := here.staged(t)
	// Contexts and builders belong to one user.
	user := here.with("DOCKER_HOST=")
	for name, g := range map[string]engine{"here": here, "there": there} {
		user.docker(t, "context", "create", "--docker=host="+g.Host, name)
		defer user.docker(t, "context", "rm", "--force", name)
	}
	wantThere := func(tag string) {
		t.Helper()
		there.wantRun(t, tag, "release, run")
		if _, err := here.Docker(t.Context(), "image", "inspect", tag); err == nil {
			t.Errorf("%s was built in the other context's engine, too", tag)
		}
	}

	user.with("DOCKER_CONTEXT=there").build(t, "-t", "context:variable", dir)
	wantThere("context:variable")

	user.docker(t, "--context=there", "stagebuild", "build", "-t", "context:flag", dir)
	wantThere("context:flag")

	user.docker(t, "context", "use", "there")
	defer user.docker(t, "context", "use", "default")
	user.build(t, "-t", "context:used", dir)
	wantThere("context:used")
	if _, err := user.Run(t.Context(), "docker-stagebuild", "build", "-t", "context:alone", dir); err != nil {
		t.Fatal(err)
	}
	wantThere("context:alone")

	// buildx names the engine of the current context after the context.
	user.build(t, "--builder=there", "-t", "context:builder", dir)
	wantThere("context:builder")
	user.with("BUILDX_BUILDER=there").build(t, "-t", "context:buildx", dir)
	wantThere("context:buildx")

	user.docker(t, "context", "use", "here")
	_, err := user.Docker(t.Context(), "stagebuild", "build", "--builder=there", dir)
	wantError(t, err, "docker --context there stagebuild build")
	user.build(t, "-t", "context:here", dir)
	here.wantRun(t, "context:here", "release, run")
}

// TestUnreachableEngine checks that a context without a reachable engine is an error.
func TestUnreachableEngine(t *testing.T) {
	g := start(t, harness.Docker29)
	dir := g.staged(t)
	_, err := g.with("DOCKER_HOST=unix:///nowhere/docker.sock").Docker(t.Context(), "stagebuild", "build", dir)
	wantError(t, err, "docker context", "/nowhere/docker.sock", "Start the Docker Engine")
	_, err = g.with("DOCKER_HOST=", "DOCKER_CONTEXT=nosuch").Docker(t.Context(), "stagebuild", "build", dir)
	wantError(t, err, "nosuch")
}
