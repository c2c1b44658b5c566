package release

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// maxSizeRatio limits the size of the frontend image relative to one with BuildKit's own
// frontend.
const maxSizeRatio = 1.15

// TestReleaseImageIsReproducible builds the frontend image twice with separate cache
// mounts, and compares the program in it with one compiled outside of the build.
// --no-cache instead would create new cache mounts and compile all dependencies again.
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
		t.Errorf("the frontend of %s in the image differs from the one compiled outside of the build", env.Platform)
	}
}

// buildImage builds and pushes the frontend image for this machine's platform.
func buildImage(t *testing.T, repo string, flags ...string) harness.Image {
	t.Helper()
	env, _ := releaseEnv(t)
	bakeRepository(t, nil, append([]string{
		"release-image", "--push", "--provenance=false", "--sbom=false",
		"--set=release-image.tags=" + env.Registry.Ref(repo), "--set=release-image.platform=" + env.Platform,
	}, flags...)...)
	return testkit.ReadImage(t, env, repo, env.Platform)
}

// compile compiles a program of the repository or of a module with the flags of the
// Dockerfile. Go records the flags in the program.
func compile(t *testing.T, path, program string) {
	t.Helper()
	t.Setenv("CGO_ENABLED", "0")
	t.Setenv("GOFLAGS", "-trimpath -gcflags=all=-dwarf=false")
	testkit.RunInRepository(t, "go", "build", "-buildvcs=false", "-ldflags=-s -w", "-o", path, program)
}

// TestReleaseImageIsSmall compares the size of the frontend image with that of an image
// with BuildKit's own frontend, built in the same way from the version in go.mod.
func TestReleaseImageIsSmall(t *testing.T) {
	compiled := t.TempDir()
	compile(t, filepath.Join(compiled, "out", "stagebuild-frontend"), "github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend")
	ours := buildImage(t, "size:ours").Size
	theirs := buildImage(t, "size:theirs", "--set=release-image.contexts.build-frontend="+compiled, "--allow=fs.read="+compiled).Size
	ratio := float64(ours) / float64(theirs)
	t.Logf("compressed, the frontend image has %d bytes, one with BuildKit's frontend %d: %.3f times as many", ours, theirs, ratio)
	if ratio > maxSizeRatio {
		t.Errorf("the frontend image is %.3f times as large as one with BuildKit's own, want at most %v times", ratio, maxSizeRatio)
	}
}
