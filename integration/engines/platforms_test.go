package engines

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

const both = "--platform=linux/amd64,linux/arm64"

// TestForeignPlatform builds an image for a platform that is not the engine's own.
func TestForeignPlatform(t *testing.T) {
	each(t, allKinds, func(t *testing.T, g engine) {
		g.build(t, "--load", "-t", "foreign", "--platform="+testkit.ForeignPlatform(g.env), g.staged(t))
		if got := g.docker(t, "image", "inspect", "--format={{.Os}}/{{.Architecture}}", "foreign"); got != testkit.ForeignPlatform(g.env) {
			t.Errorf("the image is for %s, want %s", got, testkit.ForeignPlatform(g.env))
		}
		// Read the file of the variant without running a container.
		id := g.docker(t, "create", "--pull=never", "--platform="+testkit.ForeignPlatform(g.env), "foreign")
		defer g.docker(t, "rm", id)
		out := t.TempDir()
		g.docker(t, "cp", id+":/how", out)
		wantFile(t, out, "how", "copied")
	})
}

// TestSeveralPlatforms loads an image for several platforms, which the containerd image
// store supports.
func TestSeveralPlatforms(t *testing.T) {
	g := start(t, harness.Docker29)
	dir := g.staged(t)
	g.build(t, "--load", "-t", "several", both, dir)
	g.wantRun(t, "several", "release, run")
	for _, platform := range []string{"linux/amd64", "linux/arm64"} {
		if got := g.docker(t, "image", "inspect", "--platform="+platform, "--format={{.Os}}/{{.Architecture}}", "several"); got != platform {
			t.Errorf("the image for %s is for %s", platform, got)
		}
	}
	g.build(t, "--push", "-t", g.env.Registry.Ref("engines/several:1"), both, dir)
	wantPlatforms(t, g, "engines/several:1")
}

// TestSeveralPlatformsFail checks that other engines reject several platforms, and that
// the alternatives in the error work.
func TestSeveralPlatformsFail(t *testing.T) {
	each(t, []harness.EngineKind{harness.Docker20, harness.Docker29Classic}, func(t *testing.T, g engine) {
		dir := g.staged(t)
		for _, frontend := range []string{"inprocess", "image=" + frontendImage(t)} {
			_, err := g.Docker(t.Context(), "stagebuild", "build", "--frontend="+frontend, "-t", "refused", both, dir)
			wantError(t, err, "cannot store one image for several platforms (linux/amd64, linux/arm64)", "--tag 'NAME:{{.Arch}}'", "docker buildx create --use --driver docker-container", "--push")
		}
		_, err := g.Docker(t.Context(), "buildx", "build", both, dir)
		wantError(t, err, documentedError(t))
		g.build(t, "-t", "apart:{{.Arch}}", both, dir)
		_, arch, _ := strings.Cut(g.env.Platform, "/")
		g.wantRun(t, "apart:"+arch, "release, run")
		_, arch, _ = strings.Cut(testkit.ForeignPlatform(g.env), "/")
		if got := g.docker(t, "image", "inspect", "--format={{.Architecture}}", "apart:"+arch); got != arch {
			t.Errorf("the image for %s is for %s", arch, got)
		}

		builder := g.createBuilder(t)
		repo := "engines/advised:" + string(g.Kind)
		g.build(t, "--builder="+builder, "--push", "-t", g.env.Registry.Ref(repo), both, dir)
		wantPlatforms(t, g, repo)
	})
}

// documentedError returns the error of buildx that docs/troubleshooting.md shows.
func documentedError(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(data), "<!-- engine -->\n```text\n")
	text, _, closed := strings.Cut(block, "```\n")
	if !found || !closed {
		t.Fatal("docs/troubleshooting.md does not show the error")
	}
	return text
}

// wantPlatforms checks that a pushed image is for both platforms, each with its own
// instructions.
func wantPlatforms(t *testing.T, g engine, repo string) {
	t.Helper()
	res, err := g.env.Registry.Read(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := res.Platforms(), []string{"linux/amd64", "linux/arm64"}; !slices.Equal(got, want) {
		t.Fatalf("the platforms are %v, want %v", got, want)
	}
	for _, img := range res.Images {
		want := "copied"
		if img.Platform == g.env.Platform {
			want = "run"
		}
		if how, err := img.ReadFile("how"); err != nil || string(how) != want {
			t.Errorf("%s: /how is %q, want %q (%v)", img.Platform, how, want, err)
		}
	}
}
