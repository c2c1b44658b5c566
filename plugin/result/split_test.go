package result

import (
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/selection"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// TestResultsOfPlatforms splits a stage by templates with equal values for some platforms.
func TestResultsOfPlatforms(t *testing.T) {
	file, err := syntax.Parse(source.NewFile("Dockerfile", []byte("ARG KIND=large\nARG --for=arm64,arm KIND=small\nFROM scratch AS app\n")))
	if err != nil {
		t.Fatal(err)
	}
	const platforms = "linux/amd64,linux/arm64,linux/arm/v6,linux/arm/v7,windows(10.0.20348)/amd64"
	for tag, want := range map[string]string{
		"app":                   "app: " + platforms,
		"{{.Stage}}":            "app: " + platforms,
		"{{.OS}}":               "linux: linux/amd64,linux/arm64,linux/arm/v6,linux/arm/v7 windows: windows(10.0.20348)/amd64",
		"{{.Arch}}":             "amd64: linux/amd64,windows(10.0.20348)/amd64 arm64: linux/arm64 arm: linux/arm/v6,linux/arm/v7",
		`{{.Arg "KIND"}}`:       "large: linux/amd64,windows(10.0.20348)/amd64 small: linux/arm64,linux/arm/v6,linux/arm/v7",
		"{{.Arch}}{{.Variant}}": "amd64: linux/amd64,windows(10.0.20348)/amd64 arm64: linux/arm64 armv6: linux/arm/v6 armv7: linux/arm/v7",
	} {
		t.Run(tag, func(t *testing.T) {
			results, err := Split(file, plan.Env{}, Flags{Tags: []string{tag}}, []selection.Result{{Stage: "app", Platforms: parsePlatformList(platforms)}})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range results {
				got = append(got, r.Flags.Tags[0]+": "+strings.Join(r.PlatformNames(), ","))
			}
			if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// parsePlatformList parses platforms that are separated by commas.
func parsePlatformList(list string) []guard.Platform {
	var parsed []guard.Platform
	for name := range strings.SplitSeq(list, ",") {
		parsed = append(parsed, platforms.MustParse(name))
	}
	return parsed
}
