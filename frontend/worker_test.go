package frontend_test

import (
	"encoding/json"
	"testing"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/frontend"
)

// foreignGateway returns a gateway whose platform is not that of this process.
func foreignGateway(dockerfile string, opts map[string]string) *gateway {
	g := newGateway([]byte(dockerfile), opts)
	g.worker = platforms.MustParse("linux/arm64")
	if platforms.OnlyStrict(platforms.DefaultSpec()).Match(g.worker) {
		g.worker = platforms.MustParse("linux/ppc64le")
	}
	return g
}

// TestDefaultPlatform checks that a build without requested platforms is for the
// builder's platform, and that its metadata agrees, wherever the frontend runs.
func TestDefaultPlatform(t *testing.T) {
	for name, dockerfile := range map[string]string{
		"plain":  "FROM busybox\nRUN a\n",
		"staged": "FROM --for=linux busybox\nRUN a\n",
	} {
		t.Run(name, func(t *testing.T) {
			g := foreignGateway(dockerfile, map[string]string{
				"multi-platform": "true", "attest:sbom": "generator=scanner",
			})
			res, err := frontend.Build(t.Context(), g)
			if err != nil {
				t.Fatal(err)
			}
			want := platforms.FormatAll(g.worker)
			metadata, err := exptypes.ParsePlatforms(res.Metadata)
			if err != nil {
				t.Fatal(err)
			}
			if got := metadata.Platforms; len(got) != 1 || got[0].ID != want || platforms.FormatAll(got[0].Platform) != want {
				t.Errorf("platforms: %v, want %s", got, want)
			}
			if len(res.Refs) != 1 || res.Refs[want] == nil {
				t.Errorf("results: %v, want one for %s", res.Refs, want)
			}
			if len(res.Attestations[want]) == 0 {
				t.Errorf("attestations: %v, want one for %s", res.Attestations, want)
			}
			if got := configPlatform(t, res.Metadata[exptypes.ExporterImageConfigKey+"/"+want]); got != want {
				t.Errorf("the image is for %s, want %s", got, want)
			}
		})
	}
}

// TestPlatformOfBaseImage checks that a build without requested platforms is for the
// platform of its base image, if the image is only for that one.
func TestPlatformOfBaseImage(t *testing.T) {
	for _, dockerfile := range []string{"FROM s390x\nRUN a\n", "FROM --for=linux s390x\nRUN a\n"} {
		t.Run(dockerfile, func(t *testing.T) {
			g := foreignGateway(dockerfile, nil)
			res, err := frontend.Build(t.Context(), g)
			if err != nil {
				t.Fatal(err)
			}
			if got := configPlatform(t, res.Metadata[exptypes.ExporterImageConfigKey]); got != "linux/s390x" {
				t.Errorf("the image is for %s, want linux/s390x", got)
			}
		})
	}
}

// configPlatform returns the platform of an image's config.
func configPlatform(t *testing.T, config []byte) string {
	t.Helper()
	var img ocispecs.Image
	if err := json.Unmarshal(config, &img); err != nil {
		t.Fatal(err)
	}
	return platforms.FormatAll(img.Platform)
}
