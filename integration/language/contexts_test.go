package language

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// replacedFile has a stage "assets" without a variant for the tested platforms, which a
// named context replaces. "outside" is not a stage but a named context too.
const replacedFile = `FROM --platform=$BUILDPLATFORM busybox AS fails
RUN exit 1
FROM --for=linux/riscv64 nosuchbase-context-a AS assets
COPY --from=nosuchbase-context-b / /
FROM --for=linux/s390x --needs=fails nosuchbase-context-c AS Assets
ONBUILD COPY --from=nosuchbase-context-d / /

FROM assets AS based
COPY a /a
FROM assets::linux/arm64 AS cross
COPY a /a
FROM outside AS other

FROM scratch
COPY --from=ASSETS --if=true /arch /copied
COPY --from=based /arch /a /based/
COPY --from=assets::linux/arm64 /arch /arm64
COPY --from=cross /arch /a /cross/
COPY --from=other /arch /other
`

// replacedPlainFile is the equivalent plain file. A context that replaces a stage is
// resolved for the target platform, so the one for arm64 is the context of a base image
// here.
const replacedPlainFile = `FROM nosuchbase-context-a AS assets

FROM assets AS based
COPY a /a
FROM --platform=linux/arm64 outside AS cross
COPY a /a
FROM outside AS other

FROM scratch
COPY --from=assets /arch /copied
COPY --from=based /arch /a /based/
COPY --from=cross /arch /arm64
COPY --from=cross /arch /a /cross/
COPY --from=other /arch /other
`

// contextImages pushes two images with a file that names their platform, the second one
// with a trigger, and returns named contexts for both and for an OCI layout of the second.
func contextImages(t *testing.T, env *harness.Env) (files, image, layout string) {
	t.Helper()
	dir := testkit.WriteContext(t, map[string]string{
		"amd64": "amd64", "arm64": "arm64",
		"Dockerfile": "FROM scratch AS files\nARG TARGETARCH\nCOPY $TARGETARCH /arch\nFROM files AS image\nONBUILD COPY nosuchfile /\n",
	})
	oci := filepath.Join(t.TempDir(), "oci")
	for target, outputs := range map[string][]string{
		"files": {"--output=type=registry,name=" + env.Registry.Ref("contexts/files:1")},
		"image": {"--output=type=registry,name=" + env.Registry.Ref("contexts/image:1"), "--output=type=oci,tar=false,dest=" + oci},
	} {
		args := append([]string{"build", "--provenance=false", "--platform=" + strings.Join(testkit.BothPlatforms(), ","), "--target=" + target}, outputs...)
		if _, err := env.Buildx(t.Context(), append(args, dir)...); err != nil {
			t.Fatal(err)
		}
	}
	res, err := harness.ReadOCI(oci, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return "docker-image://" + env.Registry.Ref("contexts/files:1"), "docker-image://" + env.Registry.Ref("contexts/image:1"),
		"oci-layout://" + oci + "@" + res.Digest.String()
}

// TestContextReplacesVariants replaces a stage without a matching variant by named
// contexts of every kind. The triggers of these images do not run.
func TestContextReplacesVariants(t *testing.T) {
	env, _ := suite.Product(t)
	files, image, layout := contextImages(t, env)
	local := testkit.WriteContext(t, map[string]string{"arch": "local"})
	for name, context := range map[string]string{"image": image, "layout": layout, "local": local} {
		t.Run(name, func(t *testing.T) {
			r := testkit.Request{
				Platforms:  testkit.BothPlatforms(),
				Files:      map[string]string{"a": "a"},
				Contexts:   map[string]string{"assets": context, "outside": files},
				Dockerfile: replacedFile,
			}
			plain := replacedPlainFile
			if name == "local" {
				plain = strings.ReplaceAll(plain, "--platform=linux/arm64 outside", "assets")
			}
			res := buildStagedAndPlain(t, "contexts/"+name, r, plain)
			for _, platform := range testkit.BothPlatforms() {
				arch, cross := strings.TrimPrefix(platform, "linux/"), "arm64"
				if name == "local" {
					arch, cross = "local", "local"
				}
				for path, content := range map[string]string{
					"copied": arch, "based/arch": arch, "based/a": "a", "arm64": cross, "cross/arch": cross, "cross/a": "a",
					"other": strings.TrimPrefix(platform, "linux/"),
				} {
					testkit.WantFile(t, res, platform, path, content)
				}
			}
		})
	}
}

// TestBakeTargetReplacesVariants replaces a stage by another target of the bake file.
func TestBakeTargetReplacesVariants(t *testing.T) {
	env, frontend := suite.Product(t)
	dir := testkit.Request{Dockerfile: replacedFile, Files: map[string]string{"a": "a", "amd64": "amd64", "arm64": "arm64"}}.WriteContext(t, frontend)
	err := testkit.RunBake(t, env, map[string]any{
		"base": map[string]any{
			"context": dir, "platforms": testkit.BothPlatforms(),
			"dockerfile-inline": "# syntax=" + frontend + "\nFROM scratch\nCOPY --for=amd64 amd64 /arch\nCOPY --for=arm64 arm64 /arch\n",
		},
		"default": map[string]any{
			"context": dir, "contexts": map[string]string{"assets": "target:base", "outside": "target:base"}, "platforms": testkit.BothPlatforms(),
			"output": []string{"type=registry"}, "tags": []string{env.Registry.Ref("contexts/target:1")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	res, err := env.Registry.Read(t.Context(), "contexts/target:1")
	if err != nil {
		t.Fatal(err)
	}
	for _, platform := range testkit.BothPlatforms() {
		arch := strings.TrimPrefix(platform, "linux/")
		for path, content := range map[string]string{"copied": arch, "based/arch": arch, "arm64": "arm64", "cross/arch": "arm64", "other": arch} {
			testkit.WantFile(t, res, platform, path, content)
		}
	}
}
