package release

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// pluginPlatforms returns the platforms for which the plugin is released.
func pluginPlatforms() []string {
	return []string{"darwin/amd64", "darwin/arm64", "linux/amd64", "linux/arm64", "windows/amd64", "windows/arm64"}
}

// pluginProgram returns the name of the plugin's binary for a platform.
func pluginProgram(platform string) string {
	if strings.HasPrefix(platform, "windows/") {
		return "docker-stagebuild.exe"
	}
	return "docker-stagebuild"
}

// TestReleasePlugin builds the plugin for this machine, and runs it, and for all
// platforms.
func TestReleasePlugin(t *testing.T) {
	env := suite.Env(t)
	dir, flags := localOutput(t, "plugin")
	bakeRepository(t, []string{"VERSION=v1.2.3", "REVISION=abc"}, append(flags, "plugin")...)
	out, err := env.Run(t.Context(), filepath.Join(dir, "docker-stagebuild"), "version")
	if err != nil || !strings.HasPrefix(out.Stdout, "github.com/stagebuild/stagebuild v1.2.3 abc (BuildKit ") {
		t.Errorf("the plugin prints %q, %v", out.Stdout, err)
	}

	dir, flags = localOutput(t, "cross")
	bakeRepository(t, []string{"VERSION=v1.2.3", "REVISION=abc"}, append(flags, "cross")...)
	var want []string
	for _, platform := range pluginPlatforms() {
		name := path.Join(strings.ReplaceAll(platform, "/", "_"), pluginProgram(platform))
		want = append(want, name)
		wantBinary(t, filepath.Join(dir, name), platform)
	}
	if diff := cmp.Diff(want, listFiles(t, dir)); diff != "" {
		t.Errorf("cross gives (-want +got):\n%s", diff)
	}
}

// releaseTime is the SOURCE_DATE_EPOCH of the test release.
const releaseTime = 1700000000

// imagePlatforms are the platforms for which the frontend image is released, in order.
var imagePlatforms = []string{"linux/amd64", "linux/arm/v7", "linux/arm64", "linux/ppc64le", "linux/riscv64", "linux/s390x"}

// TestRelease bakes a release with the targets of the release workflow.
func TestRelease(t *testing.T) {
	env, _ := releaseEnv(t)
	dir, flags := localOutput(t, "release-plugin")
	bakeRepository(t, []string{
		"VERSION=v1.2.3", "REVISION=abc", "SOURCE_DATE_EPOCH=" + strconv.Itoa(releaseTime), "IMAGE=" + env.Registry.Ref("release/stagebuild"),
	}, append(flags, "release", "--push", "--set=*.attest=type=sbom,generator="+testkit.PushScanner(t, env))...)
	t.Run("files", func(t *testing.T) { wantReleaseFiles(t, env, dir) })
	t.Run("attestations", func(t *testing.T) { wantReleaseAttestations(t, dir) })
	t.Run("image", func(t *testing.T) { wantReleaseImage(t, env) })
	t.Run("syntax", func(t *testing.T) { wantFrontendBuilds(t, env, "release/stagebuild:1.2") })
}

// wantReleaseFiles checks the binaries and their checksums.
func wantReleaseFiles(t *testing.T, env *harness.Env, dir string) {
	want := []string{"SHA256SUMS", "provenance.json", "sbom.spdx.json"}
	sums := ""
	for _, platform := range pluginPlatforms() {
		name := "docker-stagebuild-" + strings.ReplaceAll(platform, "/", "-") + path.Ext(pluginProgram(platform))
		want = append(want, name)
		wantBinary(t, filepath.Join(dir, name), platform)
		sums += fileSum(t, filepath.Join(dir, name)) + "  " + name + "\n"
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, listFiles(t, dir)); diff != "" {
		t.Errorf("the release has (-want +got):\n%s", diff)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS")); err != nil || string(got) != sums {
		t.Errorf("the checksums, %v (-want +got):\n%s", err, cmp.Diff(sums, string(got)))
	}
	check := exec.CommandContext(t.Context(), "sha256sum", "--check", "SHA256SUMS")
	check.Dir = dir
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	own := filepath.Join(dir, "docker-stagebuild-"+strings.ReplaceAll(env.Platform, "/", "-"))
	out, err := env.Run(t.Context(), own, "version", "--format=json")
	if err != nil {
		t.Fatal(err)
	}
	var printed struct{ Version, Commit string }
	if err := json.Unmarshal([]byte(out.Stdout), &printed); err != nil || printed.Version != "v1.2.3" || printed.Commit != "abc" {
		t.Errorf("the binary prints %+v, %v", printed, err)
	}
}

// wantReleaseAttestations checks that the attestations have every file as a subject.
func wantReleaseAttestations(t *testing.T, dir string) {
	for name, want := range map[string]string{"provenance.json": "https://slsa.dev/provenance/", "sbom.spdx.json": "https://spdx.dev/Document"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var statement struct {
			PredicateType string
			Subject       []struct {
				Name   string
				Digest struct{ SHA256 string }
			}
		}
		if err := json.Unmarshal(data, &statement); err != nil || !strings.HasPrefix(statement.PredicateType, want) {
			t.Errorf("%s is of type %q, %v", name, statement.PredicateType, err)
		}
		if got := len(statement.Subject); got != len(pluginPlatforms())+1 {
			t.Errorf("%s is about %d files", name, got)
		}
		for _, file := range statement.Subject {
			if got := fileSum(t, filepath.Join(dir, file.Name)); got != file.Digest.SHA256 {
				t.Errorf("%s: %s is %s, and not %s", name, file.Name, got, file.Digest.SHA256)
			}
		}
	}
}

// wantReleaseImage checks the image under each of its tags.
func wantReleaseImage(t *testing.T, env *harness.Env) {
	digests := map[string]bool{}
	for _, tag := range []string{"1.2.3", "1.2", "1"} {
		res, err := env.Registry.Read(t.Context(), "release/stagebuild:"+tag)
		if err != nil {
			t.Fatal(err)
		}
		digests[res.Digest.String()] = true
		if diff := cmp.Diff(imagePlatforms, res.Platforms()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tag, diff)
		}
		for _, img := range res.Images {
			var types []string
			for _, a := range img.Attestations {
				site, _, _ := strings.Cut(strings.TrimPrefix(a.PredicateType, "https://"), "/")
				types = append(types, site)
			}
			slices.Sort(types)
			if diff := cmp.Diff([]string{"slsa.dev", "spdx.dev"}, types); diff != "" {
				t.Errorf("%s: attestations (-want +got):\n%s", img.Platform, diff)
			}
			if got := img.Config.Created.Time; !got.Equal(time.Unix(releaseTime, 0)) {
				t.Errorf("%s was created at %v", img.Platform, got)
			}
		}
	}
	if len(digests) != 1 {
		t.Errorf("the tags name %d images", len(digests))
	}
}

// wantFrontendBuilds builds a staged Dockerfile with buildx and the named frontend image.
func wantFrontendBuilds(t *testing.T, env *harness.Env, frontend string) {
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": "# syntax=" + frontend + `
FROM --for=linux/arm64 scratch AS base
ENV KIND=arm
FROM scratch AS base
ENV KIND=other
FROM base
COPY Dockerfile /
`})
	_, err := env.Buildx(t.Context(), "build", "--builder="+releaseBuilder, "--platform=linux/amd64,linux/arm64", "--push",
		"--tag="+env.Registry.Ref("release/served:1"), dir)
	if err != nil {
		t.Fatal(err)
	}
	for platform, kind := range map[string]string{"linux/amd64": "other", "linux/arm64": "arm"} {
		if got := testkit.ReadImage(t, env, "release/served:1", platform).Env("KIND"); got != kind {
			t.Errorf("%s: KIND is %q, want %q", platform, got, kind)
		}
	}
}
