package build

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// scanned maps the name of each scanned file system to its files and their contents.
type scanned map[string]map[string]string

// wantSBOM checks which file systems were scanned for a platform, and their files.
func wantSBOM(t *testing.T, res *harness.Result, platform string, want scanned) {
	t.Helper()
	img, err := res.Image(platform)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]string{}
	for _, a := range img.Attestations {
		var document struct {
			Name, Comment string
			Files         []struct {
				FileName  string
				Checksums []struct{ ChecksumValue string }
			}
		}
		if err := json.Unmarshal(a.Predicate, &document); err != nil {
			t.Fatal(err)
		}
		if a.PredicateType != "https://spdx.dev/Document" || document.Comment != "of the test" {
			t.Errorf("%s: %s is %s with the comment %q", platform, document.Name, a.PredicateType, document.Comment)
		}
		if diff := cmp.Diff([]v1.Hash{img.Digest}, a.Subjects); diff != "" {
			t.Errorf("%s: %s is not about the image:\n%s", platform, document.Name, diff)
		}
		got[document.Name] = map[string]string{}
		for _, file := range document.Files {
			got[document.Name][file.FileName] = file.Checksums[0].ChecksumValue
		}
	}
	hashes := map[string]map[string]string{}
	for name, files := range want {
		hashes[name] = map[string]string{}
		for file, content := range files {
			sum := sha256.Sum256([]byte(content))
			hashes[name]["./"+file] = hex.EncodeToString(sum[:])
		}
	}
	if diff := cmp.Diff(hashes, got); diff != "" {
		t.Errorf("%s: scanned (-want +got):\n%s", platform, diff)
	}
}

// wantBuildKitSBOM builds the rendered Dockerfile of a request for one platform with
// BuildKit's own frontend and compares the SBOMs.
func wantBuildKitSBOM(t *testing.T, env *harness.Env, res *harness.Result, platform string, r testkit.Request) {
	t.Helper()
	dir := r.WriteContext(t, "unused")
	args := []string{"render", "--platform=" + platform}
	for name, value := range r.Args {
		args = append(args, "--build-arg="+name+"="+value)
	}
	plain, err := env.Run(t.Context(), "docker-stagebuild", append(args, dir)...)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(plain.Stdout, "# syntax=unused\n", "", 1)
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r.Platforms = []string{platform}
	const repo = "sbom/plain:1"
	if err := testkit.Run(t, env, append(append([]string{"docker-buildx", "build"}, r.Flags(env, repo)...), dir)); err != nil {
		t.Fatal(err)
	}
	own, err := res.Image(platform)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(testkit.Attestations(testkit.ReadImage(t, env, repo, platform)), testkit.Attestations(own)); diff != "" {
		t.Errorf("%s: the SBOMs are not BuildKit's own (-BuildKit +ours):\n%s", platform, diff)
	}
}

// TestSBOM scans the result, and the stages and the context that the file selects with the
// BUILDKIT_SBOM_SCAN args: the selected variants, but no stage that is only needed or not
// reached.
func TestSBOM(t *testing.T) {
	env, _ := suite.Product(t)
	r := testkit.Request{
		Platforms: testkit.BothPlatforms(),
		Files:     map[string]string{"amd": "for amd64", "arm": "for arm64", "tool": "a tool", "notes": "not copied"},
		SBOM:      "generator=" + testkit.PushScanner(t, env) + ",COMMENT=of the test",
		Dockerfile: `FROM --for=linux/arm64 scratch AS build
ARG BUILDKIT_SBOM_SCAN_STAGE=true
COPY arm /out/app
FROM scratch AS build
ARG --for=linux/amd64 BUILDKIT_SBOM_SCAN_STAGE=true
COPY amd /out/app
COPY tool /tool

FROM scratch AS checks
ARG BUILDKIT_SBOM_SCAN_STAGE=true
COPY notes /

FROM scratch AS quiet
COPY tool /quiet

FROM --needs=checks scratch
ARG --for=linux/arm64 BUILDKIT_SBOM_SCAN_CONTEXT=true
COPY --from=build /out/app /app
COPY --from=quiet / /
COPY arm /
`,
	}
	res := testkit.BuildWithEveryClient(t, &suite, "sbom/stages", r)
	wantSBOM(t, res, "linux/amd64", scanned{
		"sbom":       {"app": "for amd64", "quiet": "a tool", "arm": "for arm64"},
		"sbom-build": {"out/app": "for amd64", "tool": "a tool"},
	})
	wantSBOM(t, res, "linux/arm64", scanned{
		"sbom":         {"app": "for arm64", "quiet": "a tool", "arm": "for arm64"},
		"sbom-build":   {"out/app": "for arm64"},
		"sbom-context": {"arm": "for arm64", "tool": "a tool"},
	})
	for _, platform := range testkit.BothPlatforms() {
		wantBuildKitSBOM(t, env, res, platform, r)
	}
}

// TestSBOMOfCrossPlatformStages scans stages for other platforms from which the result is
// built, under names that include the platform.
func TestSBOMOfCrossPlatformStages(t *testing.T) {
	env, _ := suite.Product(t)
	r := testkit.Request{
		Platforms: testkit.BothPlatforms(),
		Files:     map[string]string{"amd": "for amd64", "arm": "for arm64", "tool": "a tool"},
		Args:      map[string]string{"BUILDKIT_SBOM_SCAN_STAGE": "build,tools,checks"},
		SBOM:      "generator=" + testkit.PushScanner(t, env) + ",COMMENT=of the test",
		Dockerfile: `ARG BUILDKIT_SBOM_SCAN_STAGE
FROM scratch AS tools
COPY tool /tool

FROM --for=linux/arm64 scratch AS build
COPY arm /app
COPY --from=tools / /
FROM scratch AS build
COPY amd /app

FROM scratch AS quiet
COPY tool /quiet

FROM scratch AS checks
COPY tool /checked

FROM build::linux/arm64 AS based

FROM --needs=checks::linux/arm64 scratch
COPY --from=build::linux/amd64 /app /app-amd
COPY --from=based /app /app-arm
COPY --from=quiet::linux/arm64 / /
`,
	}
	res := testkit.BuildWithEveryClient(t, &suite, "sbom/platforms", r)
	result := map[string]string{"app-amd": "for amd64", "app-arm": "for arm64", "quiet": "a tool"}
	amd, arm := map[string]string{"app": "for amd64"}, map[string]string{"app": "for arm64", "tool": "a tool"}
	wantSBOM(t, res, "linux/amd64", scanned{
		"sbom": result, "sbom-build": amd, "sbom-build@linux-arm64": arm, "sbom-tools@linux-arm64": {"tool": "a tool"},
	})
	wantSBOM(t, res, "linux/arm64", scanned{
		"sbom": result, "sbom-build": arm, "sbom-build@linux-amd64": amd, "sbom-tools": {"tool": "a tool"},
	})
}
