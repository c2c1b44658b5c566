package integration

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestStagesKeepStepNames builds several results, which are one call of buildx's pipeline.
// Only names without brackets get the name of the result.
func TestStagesKeepStepNames(t *testing.T) {
	env, _ := suite.Product(t)
	dir, out := stagesContext(t), t.TempDir()
	res, err := stagebuild(t, env, "--stage=api,worker", "--platform=all", "--no-cache", "--progress=rawjson",
		"--output=type=oci,dest="+filepath.Join(out, "{{.Stage}}-{{.Arch}}.tar"), dir)
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(vertices(t, res.Stderr)))
	for _, want := range []string{
		"[internal] load build definition from Dockerfile", "[api 1/1] COPY api.txt /app", "[worker 1/1] COPY worker.txt shared /app/",
		"[api linux/amd64] exporting to oci image format", "[api linux/arm64] exporting to oci image format",
		"[worker linux/amd64] exporting to oci image format", "[worker linux/arm64] exporting to oci image format",
	} {
		if !slices.Contains(names, want) {
			t.Errorf("no step is named %s", want)
		}
	}
	if t.Failed() {
		t.Errorf("steps:\n%s", strings.Join(names, "\n"))
	}
}

// TestStagesAreSetUpByThemselves builds two results, one of which has a tag that is too
// long. buildx finds that before it builds, and only that result may fail.
func TestStagesAreSetUpByThemselves(t *testing.T) {
	env, _ := suite.Product(t)
	long := strings.Repeat("long", 33)
	dir := writeContext(t, map[string]string{"Dockerfile": "FROM scratch AS valid\nCOPY f /\nFROM scratch AS " + long + "\nCOPY f /\n", "f": ""})
	ids := t.TempDir()
	res, err := stagebuild(t, env, "--stage=*", "--progress=plain", "--push", "--tag="+env.Registry.Ref("setup:{{.Stage}}"),
		"--iidfile="+filepath.Join(ids, "{{.Stage}}"), dir)
	wantFailure(t, err)
	if want := "ERROR: " + long + `: failed to build: invalid tag "` + env.Registry.Ref("setup:"+long) + `": `; !strings.Contains(res.Stderr, want) {
		t.Errorf("the output has no %s\n%s", want, res.Stderr)
	}
	if strings.Contains(res.Stderr, "ERROR: valid") {
		t.Errorf("both results failed:\n%s", res.Stderr)
	}
	if _, err := env.Registry.Read(t.Context(), "setup:valid"); err != nil {
		t.Errorf("the other result is not pushed: %v", err)
	}
	if _, err := os.Stat(filepath.Join(ids, "valid")); err != nil {
		t.Error(err)
	}
}
