package build

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestReplay rebuilds an image from its provenance with docker buildx replay. That
// needs the frontend image: the provenance of an in-process build does not record the
// context, as docs/reference.md describes.
func TestReplay(t *testing.T) {
	env, frontend := suite.Product(t)
	git := testkit.ServeGit(t, testkit.GitBranch{Name: "trunk", Files: map[string]string{
		"file": "content\n",
		"Dockerfile": `ARG WHO=nobody
FROM --for=linux/arm64 busybox AS base
ENV BASE=arm64
FROM busybox AS base
ENV BASE=default
FROM base AS app
ARG WHO
ENV WHO=$WHO
COPY file /
FROM scratch AS other
`,
	}})
	for name, mode := range map[string]string{"image": "image=" + frontend, "in-process": "inprocess"} {
		t.Run(name, func(t *testing.T) {
			repo := "replay/" + name + ":1"
			for _, platform := range testkit.BothPlatforms() {
				_, err := env.Run(t.Context(), "docker-stagebuild", "build", "--frontend="+mode, "--platform="+platform, "--target=app",
					"--build-arg=WHO=me", "--build-arg=SOURCE_DATE_EPOCH=1", "--provenance=mode=max", "--push", "--tag="+env.Registry.Ref(repo), git)
				if err != nil {
					t.Fatal(err)
				}
				want := testkit.ReadImage(t, env, repo, platform)
				file := filepath.Join(t.TempDir(), "image.tar")
				_, err = env.Buildx(t.Context(), "replay", "build", "docker-image://"+env.Registry.Ref(repo), "--output=type=oci,dest="+file)
				if name == "in-process" {
					if err == nil || !strings.Contains(err.Error(), "predicate has no recorded build context") {
						t.Errorf("%s: want an error about the context, got %v", platform, err)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				res, err := harness.ReadOCI(file, t.TempDir())
				if err != nil {
					t.Fatal(err)
				}
				got, err := res.Image(platform)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want.Layers, got.Layers); diff != "" {
					t.Errorf("%s: layers (-built +replayed):\n%s", platform, diff)
				}
				if diff := cmp.Diff(want.Config.Config, got.Config.Config); diff != "" {
					t.Errorf("%s: configuration (-built +replayed):\n%s", platform, diff)
				}
			}
		})
	}
}
