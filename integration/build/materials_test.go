package build

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// materialsFile uses the images "busybox" and "other" in every possible way.
const materialsFile = `FROM busybox AS checks
RUN --network=none true
FROM --for=linux/arm64 %[1]s AS base
FROM busybox AS base

FROM --needs=checks::linux/amd64 scratch AS needing
COPY Dockerfile /
FROM base AS variants
FROM busybox AS same
FROM scratch AS reference
COPY --from=%[1]s::linux/arm64 /other /
FROM scratch AS beside
COPY Dockerfile /
FROM busybox AS both
COPY --from=busybox::linux/arm64 /bin/busybox /
`

// TestMaterials checks the images in the provenance of each platform's image, of a single
// result and of one among several, as docs/reference.md describes them.
func TestMaterials(t *testing.T) {
	env, _ := suite.Product(t)
	other := env.Registry.Ref("materials/other:1")
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /other\n"})
	if err := testkit.Run(t, env, []string{"docker-buildx", "build", "--platform=" + strings.Join(testkit.BothPlatforms(), ","), "--push", "--tag=" + other, dir}); err != nil {
		t.Fatal(err)
	}
	dir = testkit.WriteContext(t, map[string]string{"Dockerfile": fmt.Sprintf(materialsFile, other)})
	materialsOf := func(stage, tag, flag string) map[string]materials {
		command := []string{
			"docker-stagebuild", "build", "--provenance=mode=min", "--platform=" + strings.Join(testkit.BothPlatforms(), ","),
			"--push", "--tag=" + env.Registry.Ref("materials/"+tag+":1"), flag, dir,
		}
		if err := testkit.Run(t, env, command); err != nil {
			t.Fatal(err)
		}
		return readMaterials(t, env, env.Registry.Ref("materials/"+stage+":1"))
	}
	const amd, arm, otherArm = "busybox linux/amd64", "busybox linux/arm64", "other linux/arm64"
	for _, test := range []struct {
		stage        string
		amd64, arm64 []string
	}{
		{"needing", []string{amd}, []string{amd}},
		{"variants", []string{amd, otherArm}, []string{amd, otherArm}},
		{"same", []string{amd}, []string{arm}},
		{"reference", []string{otherArm}, []string{otherArm}},
		{"both", []string{amd}, []string{arm}},
	} {
		t.Run(test.stage, func(t *testing.T) {
			want := map[string]materials{testkit.BothPlatforms()[0]: {images: test.amd64}, testkit.BothPlatforms()[1]: {images: test.arm64}}
			for tag, flag := range map[string]string{test.stage: "--target=" + test.stage, "{{.Stage}}": "--stage=beside," + test.stage} {
				if diff := cmp.Diff(want, materialsOf(test.stage, tag, flag), cmp.AllowUnexported(materials{})); diff != "" {
					t.Errorf("%s (-want +got):\n%s", flag, diff)
				}
			}
		})
	}
}

// materials are the materials in the provenance of an image.
type materials struct {
	images   []string // "name platform", sorted
	pinned   bool     // whether their URIs have a digest
	complete bool
}

// readMaterials returns the materials of each platform's image.
func readMaterials(t *testing.T, env *harness.Env, ref string) map[string]materials {
	t.Helper()
	out, err := env.Buildx(t.Context(), "imagetools", "inspect", ref, "--format={{json .Provenance}}")
	if err != nil {
		t.Fatal(err)
	}
	var images map[string]struct {
		SLSA struct {
			BuildDefinition struct{ ResolvedDependencies []struct{ URI string } }
			RunDetails      struct {
				Metadata struct {
					Completeness struct{ ResolvedDependencies bool } `json:"buildkit_completeness"`
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(out.Stdout), &images); err != nil {
		t.Fatal(err)
	}
	byPlatform := map[string]materials{}
	for platform, image := range images {
		m := materials{complete: image.SLSA.RunDetails.Metadata.Completeness.ResolvedDependencies}
		for _, dep := range image.SLSA.BuildDefinition.ResolvedDependencies {
			u, err := url.Parse(dep.URI)
			if err != nil {
				t.Fatal(err)
			}
			name, _, _ := strings.Cut(u.Opaque[strings.LastIndex(u.Opaque, "/")+1:], "@")
			m.images = append(m.images, name+" "+u.Query().Get("platform"))
			m.pinned = u.Query().Has("digest")
		}
		slices.Sort(m.images)
		byPlatform[platform] = m
	}
	return byPlatform
}
