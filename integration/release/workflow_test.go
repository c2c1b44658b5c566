package release

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestWorkflowActions checks that workflows pin third-party actions to a commit and name
// its version in a comment.
func TestWorkflowActions(t *testing.T) {
	files, err := filepath.Glob("../../.github/workflows/*.yml")
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

// bakeTarget is a target as bake --print shows it.
type bakeTarget struct {
	Target    string
	Args      map[string]string
	Tags      []string
	Platforms []string
	Output    []map[string]string
	Attest    []map[string]string
}

// printBake returns the targets that a bake command line would build with the given
// variables.
func printBake(t *testing.T, command string, vars ...string) map[string]bakeTarget {
	t.Helper()
	cmd := suite.Env(t).Command(t.Context(), "sh", "-c", command+" --print")
	cmd.Dir = "../.."
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

// TestWorkflowBakeTargets checks the targets that the release workflow would build for a
// tag.
func TestWorkflowBakeTargets(t *testing.T) {
	data, err := os.ReadFile("../../.github/workflows/release.yml")
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

// TestWorkflowReleaseTags checks which git tags start the release workflow.
func TestWorkflowReleaseTags(t *testing.T) {
	var workflow struct {
		On struct{ Push struct{ Tags []string } }
	}
	data, err := os.ReadFile("../../.github/workflows/release.yml")
	if err == nil {
		// Quote the key that YAML reads as a boolean.
		err = yaml.Unmarshal([]byte(strings.Replace(string(data), "\non:", "\n\"on\":", 1)), &workflow)
	}
	if err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[string]bool{
		"v1.2.3": true, "v0.10.0": true, "v1.2.3-rc.1": true,
		"v1": false, "v1.2": false, "v1.2.3.4": false, "vendored": false, "1.2.3": false, "v1.2.x": false,
	} {
		t.Run(tag, func(t *testing.T) {
			got := slices.ContainsFunc(workflow.On.Push.Tags, func(pattern string) bool {
				// Convert GitHub's pattern to a regular expression.
				expression := strings.NewReplacer(".", `\.`, "*", "[^/]*").Replace(pattern)
				return regexp.MustCompile("^" + expression + "$").MatchString(tag)
			})
			if got != want {
				t.Errorf("%s is a release: %v, want %v", tag, got, want)
			}
		})
	}
}

// TestWorkflowTags computes the image tags of releases in a repository with older and
// newer ones and bakes with them: the release of an older version does not move the tags
// of a newer one.
func TestWorkflowTags(t *testing.T) {
	script, err := filepath.Abs("../../.ci/release-tags")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull) // the user's configuration may sign tags
	dir := t.TempDir()
	testkit.RunInRepository(t, "git", "init", "--quiet", dir)
	testkit.RunInRepository(t, "git", "-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--allow-empty", "--message=a")
	for _, tag := range []string{"v1.1.9", "v1.1.10", "v1.2.0", "v1.2.1", "v1.3.0-rc.1", "v10.0.0", "v10.1.0-rc.2", "vendored"} {
		testkit.RunInRepository(t, "git", "-C", dir, "tag", tag)
	}
	for version, want := range map[string]struct {
		tags   []string
		latest string
	}{
		"v1.1.10":      {[]string{"1.1.10", "1.1"}, "false"},
		"v1.1.9":       {[]string{"1.1.9"}, "false"},
		"v1.2.1":       {[]string{"1.2.1", "1.2", "1"}, "false"},
		"v1.3.0-rc.1":  {[]string{"1.3.0-rc.1"}, "false"},
		"v10.0.0":      {[]string{"10.0.0", "10.0", "10"}, "true"},
		"v10.1.0-rc.2": {[]string{"10.1.0-rc.2"}, "false"},
	} {
		t.Run(version, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), script, version)
			cmd.Dir = dir
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %v", version, err)
			}
			vars := strings.Fields(string(out))
			if wantVars := []string{"TAGS=" + strings.Join(want.tags, ","), "LATEST=" + want.latest}; !slices.Equal(vars, wantVars) {
				t.Errorf("%s: %v, want %v", version, vars, wantVars)
				return
			}
			image := printBake(t, "docker-buildx bake release-image", append(vars, "VERSION="+version, "IMAGE=registry.example.com/name")...)["release-image"]
			var wantTags []string
			for _, tag := range want.tags {
				wantTags = append(wantTags, "registry.example.com/name:"+tag)
			}
			if diff := cmp.Diff(wantTags, image.Tags); diff != "" {
				t.Errorf("%s: bake's tags (-want +got):\n%s", version, diff)
			}
		})
	}
}

// TestDefaultImageTags bakes by hand, which must not set the tags that released images
// use.
func TestDefaultImageTags(t *testing.T) {
	for version, want := range map[string]string{
		"v1.2.3-rc.1": "1.2.3-rc.1", "v1.2.3+debug": "1.2.3_debug", "v1.2": "1.2", "dev": "dev",
	} {
		t.Run(version, func(t *testing.T) {
			got := printBake(t, "docker-buildx bake release-image", "VERSION="+version, "IMAGE=registry.example.com/name")
			if diff := cmp.Diff([]string{"registry.example.com/name:" + want}, got["release-image"].Tags); diff != "" {
				t.Errorf("the tags of %s (-want +got):\n%s", version, diff)
			}
		})
	}
}
