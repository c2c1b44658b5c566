package language

import (
	"slices"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestFrontendImage checks the image that the repository's Dockerfile builds: it contains
// only the static binary, and has the labels that BuildKit reads from a frontend image
// (frontend/gateway/gateway.go).
func TestFrontendImage(t *testing.T) {
	env, _ := suite.Product(t)
	img := testkit.ReadImage(t, env, "stagebuild/stagebuild:1", env.Platform)
	files, err := img.Files()
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"bin/stagebuild-frontend"}; !slices.Equal(files, want) {
		t.Errorf("files are %v, want %v", files, want)
	}
	labels := img.Config.Config.Labels
	if got := labels["moby.buildkit.frontend.network.none"]; got != "true" {
		t.Errorf("label network.none is %q: the frontend would get a network", got)
	}
	if labels["moby.buildkit.frontend.caps"] == "" {
		t.Error("the image has no label with its capabilities: --call would fail")
	}
	if want := []string{"/bin/stagebuild-frontend"}; !slices.Equal(img.Config.Config.Entrypoint, want) {
		t.Errorf("entrypoint is %v, want %v", img.Config.Config.Entrypoint, want)
	}
}
