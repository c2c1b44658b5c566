package integration

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stagebuild/stagebuild/integration/harness"
)

// largerAtMost is how much larger than BuildKit's own frontend the image may be.
const largerAtMost = 1.15

// TestReleaseImageIsReproducible builds the frontend image twice, each time with cache
// mounts of its own, and compares its program with one that is compiled elsewhere.
// --no-cache would have new ones, and all others be compiled anew.
func TestReleaseImageIsReproducible(t *testing.T) {
	env := suite.Env(t)
	first := buildImage(t, "again:1")
	second := buildImage(t, "again:2", "--set=release-image.args.BUILDKIT_CACHE_MOUNT_NS=again")
	if first.Digest != second.Digest {
		t.Errorf("two builds give the images %s and %s", first.Digest, second.Digest)
	}
	if got := first.Config.Created.Time; !got.Equal(time.Unix(0, 0)) {
		t.Errorf("the image was created at %v", got)
	}
	compiled := filepath.Join(t.TempDir(), "stagebuild-frontend")
	compile(t, compiled, "./cmd/stagebuild-frontend")
	want, err := os.ReadFile(compiled)
	if err != nil {
		t.Fatal(err)
	}
	got, err := first.ReadFile("bin/stagebuild-frontend")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the frontend of %s in the image is not what is compiled beside it", env.Platform)
	}
}

// buildImage builds and pushes the frontend image of this machine's platform.
func buildImage(t *testing.T, repo string, flags ...string) harness.Image {
	t.Helper()
	env, _ := ownEnv(t)
	bakeOwn(t, nil, append([]string{
		"release-image", "--push", "--provenance=false", "--sbom=false",
		"--set=release-image.tags=" + env.Registry.Ref(repo), "--set=release-image.platform=" + env.Platform,
	}, flags...)...)
	return readImage(t, env, repo, env.Platform)
}

// compile compiles a program of the repository, or of a module, as the Dockerfile
// does.
func compile(t *testing.T, path, program string) {
	t.Helper()
	t.Setenv("CGO_ENABLED", "0")
	inRepository(t, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", path, program)
}

// TestReleaseImageIsSmall compares the size of the frontend image with that of an
// image with BuildKit's own frontend, which is made in the same way from the module
// that go.mod asks for.
func TestReleaseImageIsSmall(t *testing.T) {
	compiled := t.TempDir()
	compile(t, filepath.Join(compiled, "out", "stagebuild-frontend"), "github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend")
	ours := buildImage(t, "size:ours").Size
	theirs := buildImage(t, "size:theirs", "--set=release-image.contexts.build-frontend="+compiled, "--allow=fs.read="+compiled).Size
	ratio := float64(ours) / float64(theirs)
	t.Logf("compressed, the frontend image has %d bytes, one with BuildKit's frontend %d: %.3f times as many", ours, theirs, ratio)
	if ratio > largerAtMost {
		t.Errorf("the frontend image is %.3f times as large as one with BuildKit's own, want at most %v times", ratio, largerAtMost)
	}
}
