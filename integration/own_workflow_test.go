package integration

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWorkflowActions checks that what the workflows use of others is pinned by
// digest, and says which version that is.
func TestWorkflowActions(t *testing.T) {
	files, err := filepath.Glob("../.github/workflows/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	pinned := regexp.MustCompile(`^(\./\S+|[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$`)
	used := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			_, action, ok := strings.Cut(line, "uses: ")
			if !ok {
				continue
			}
			used++
			if action = strings.TrimSpace(action); !pinned.MatchString(action) {
				t.Errorf("%s uses %s", filepath.Base(file), action)
			}
		}
	}
	if used == 0 {
		t.Error("no workflow uses an action")
	}
}

// bakeTarget is what bake would build.
type bakeTarget struct {
	Target    string
	Args      map[string]string
	Tags      []string
	Platforms []string
	Output    []map[string]string
	Attest    []map[string]string
}

// printBake asks bake what a command line would build, with some variables.
func printBake(t *testing.T, command string, vars ...string) map[string]bakeTarget {
	t.Helper()
	cmd := suite.Env(t).Command(t.Context(), "sh", "-c", command+" --print")
	cmd.Dir = ".."
	cmd.Env = append(cmd.Env, vars...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var definition struct{ Target map[string]bakeTarget }
	if err := json.Unmarshal(out, &definition); err != nil {
		t.Fatal(err)
	}
	return definition.Target
}

// TestWorkflowBakes asks bake what the command of the release's workflow would
// build for a tag.
func TestWorkflowBakes(t *testing.T) {
	data, err := os.ReadFile("../.github/workflows/release.yml")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`(?m)^ *(docker buildx bake .*)$`).FindStringSubmatch(string(data))
	if command == nil {
		t.Fatal("the workflow does not bake")
	}
	got := printBake(t, command[1], "VERSION=v1.2.3", "REVISION=abc", "SOURCE_DATE_EPOCH=1700000000")
	args := map[string]string{"VERSION": "v1.2.3", "REVISION": "abc", "SOURCE_DATE_EPOCH": "1700000000"}
	withPlatforms := maps.Clone(args)
	withPlatforms["PLATFORMS"] = "linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64"
	attest := []map[string]string{{"type": "provenance", "mode": "max"}, {"type": "sbom"}}
	want := map[string]bakeTarget{
		"release-image": {
			Target: "image", Args: args, Attest: attest,
			Tags:      []string{"stagebuild/stagebuild:1.2.3", "stagebuild/stagebuild:1.2", "stagebuild/stagebuild:1"},
			Platforms: []string{"linux/amd64", "linux/arm64", "linux/arm/v7", "linux/ppc64le", "linux/riscv64", "linux/s390x"},
			Output:    []map[string]string{{"type": "image", "push": "true", "rewrite-timestamp": "true"}},
		},
		"release-plugin": {
			Target: "release", Args: withPlatforms, Attest: attest,
			Output: []map[string]string{{"type": "local", "dest": "bin/release"}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the workflow would build (-want +got):\n%s", diff)
	}
}

// TestPrereleaseTags bakes a version that is not to be what others get by "1".
func TestPrereleaseTags(t *testing.T) {
	got := printBake(t, "docker-buildx bake release-image", "VERSION=v1.2.3-rc.1", "IMAGE=registry.example.com/name")
	if diff := cmp.Diff([]string{"registry.example.com/name:1.2.3-rc.1"}, got["release-image"].Tags); diff != "" {
		t.Errorf("the tags (-want +got):\n%s", diff)
	}
}
