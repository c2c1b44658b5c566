package build

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// stagesFile has stages that use different files of the context.
const stagesFile = `# platforms=linux/amd64,linux/arm64
FROM busybox AS base
COPY shared /shared

FROM base AS api
COPY api.txt /app

FROM base AS worker
COPY worker.txt shared /app/

FROM --for=amd64 base AS test-arch
COPY arch.txt /

FROM base AS test-broken
COPY absent.txt /
`

func stagesContext(t *testing.T) string {
	t.Helper()
	return testkit.WriteContext(t, map[string]string{
		"Dockerfile": stagesFile, "shared": "shared", "api.txt": "api", "worker.txt": "worker", "arch.txt": "arch",
		"unused": strings.Repeat("unused", 10_000),
	})
}

// TestContextIsLoadedOnce builds stages for two platforms on one node and on two: each
// node loads the context, the Dockerfile and the metadata of images once, and the images
// equal those of buildx.
func TestContextIsLoadedOnce(t *testing.T) {
	env, _ := suite.Product(t)
	dir := stagesContext(t)
	for _, test := range []struct {
		name, builder string
		nodes         int
	}{
		{"one node", "", 1},
		{"two nodes", twoNodes(t, env), 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := t.TempDir()
			prefix := "stages/" + strings.ReplaceAll(test.name, " ", "-")
			res, err := testkit.Build(t, env, "--builder="+test.builder, "--stage=api,worker", "--platform=all", "--progress=rawjson", "--push",
				"--tag="+env.Registry.Ref(prefix+":{{.Stage}}"), "--metadata-file="+filepath.Join(out, "{{.Stage}}.json"), dir)
			if err != nil {
				t.Fatal(err)
			}
			byName := testkit.Vertices(t, res.Stderr)
			for name, want := range map[string]int{
				"[internal] load build definition from Dockerfile": test.nodes,
				"[internal] load .dockerignore":                    test.nodes,
				"[internal] load build context":                    test.nodes,
			} {
				if got := len(byName[name]); got != want {
					t.Errorf("%s: %d times, want %d", name, got, want)
				}
			}
			configs := 0
			for name, list := range byName {
				if strings.Contains(name, "load metadata for docker.io/library/busybox") {
					configs += len(list)
				}
			}
			if configs != 2 {
				t.Errorf("image metadata was loaded %d times for two platforms", configs)
			}
			for _, stage := range []string{"api", "worker"} {
				_, err := env.Buildx(t.Context(), "build", "--builder="+test.builder, "--provenance=false", "--build-arg=SOURCE_DATE_EPOCH=1",
					"--platform=linux/amd64,linux/arm64", "--target="+stage, "--push", "--tag="+env.Registry.Ref(prefix+":buildx"),
					"--metadata-file="+filepath.Join(out, "buildx.json"), "--file="+plainFile(t), dir)
				if err != nil {
					t.Fatal(err)
				}
				want := testkit.Metadata(t, filepath.Join(out, "buildx.json"))[exptypes.ExporterImageDigestKey]
				if got := testkit.Metadata(t, filepath.Join(out, stage+".json"))[exptypes.ExporterImageDigestKey]; got != want {
					t.Errorf("%s: digest %v, buildx builds %v", stage, got, want)
				}
			}
		})
	}
}

// plainFile writes stagesFile without guards, for buildx, and returns its path.
func plainFile(t *testing.T) string {
	t.Helper()
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": strings.ReplaceAll(stagesFile, "--for=amd64 ", "")})
	return filepath.Join(dir, "Dockerfile")
}

// twoNodes creates a builder whose second node builds for arm64, and returns its name.
func twoNodes(t *testing.T, env *harness.Env) string {
	t.Helper()
	addr, err := env.StartNode(t.Context(), "stages", "linux/arm64")
	if err != nil {
		t.Fatal(err)
	}
	const name = "stages-two"
	for _, args := range [][]string{
		{"create", "--name", name, "--driver", "remote", "--node", "native", "--platform", "linux/amd64", env.BuildkitAddr},
		{"create", "--name", name, "--append", "--driver", "remote", "--node", "foreign", "--platform", "linux/arm64", addr},
	} {
		if _, err := env.Buildx(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
	return name
}

// TestStagesWithFrontendImage builds several stages with a frontend image, which the
// daemon runs.
func TestStagesWithFrontendImage(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedMirror(t)
	dir := stagesContext(t)
	res, err := testkit.Build(t, env, "--frontend=image", "--stage=api,worker", "--platform=linux/amd64", "--progress=rawjson", "--output=type=cacheonly", dir)
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(testkit.Vertices(t, res.Stderr)))
	const image = "] resolve image config for docker-image://docker.io/stagebuild/stagebuild:1"
	if !slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(name, image) }) {
		t.Errorf("no frontend image was run: %q", names)
	}
}

// TestFailedStageDoesNotStopOthers builds a stage that works beside one that is
// unavailable for a platform and one that fails.
func TestFailedStageDoesNotStopOthers(t *testing.T) {
	env, _ := suite.Product(t)
	dir, out := stagesContext(t), t.TempDir()
	res, err := testkit.Build(t, env, "--stage=api,test-*", "--platform=all", "--progress=plain",
		"--output=type=local,dest="+filepath.Join(out, "{{.Stage}}"), "--metadata-file="+filepath.Join(out, "{{.Stage}}.json"), dir)
	testkit.WantFailure(t, err)
	for _, want := range []string{
		`Note: test-arch is left out for linux/arm64: stage "test-arch" has no variant for linux/arm64`,
		`ERROR: test-broken: failed to build: `,
		`"/absent.txt": not found`,
	} {
		if !strings.Contains(res.Stderr, want) {
			t.Errorf("missing in the output: %s\n%s", want, res.Stderr)
		}
	}
	table := map[string]string{}
	for line := range strings.Lines(res.Stderr) {
		if fields := strings.Fields(line); len(fields) > 3 && strings.HasPrefix(fields[1], "linux/") {
			table[fields[0]] = fields[1] + " " + fields[2]
		}
	}
	want := map[string]string{
		"api":         "linux/amd64,linux/arm64 " + filepath.Join(out, "api"),
		"test-arch":   "linux/amd64 " + filepath.Join(out, "test-arch"),
		"test-broken": "linux/amd64,linux/arm64 failed",
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("summary (-want +got):\n%s\n%s", diff, res.Stderr)
	}
	for path, exists := range map[string]bool{
		"api/linux_arm64/app": true, "test-arch/arch.txt": true, "test-broken": false, "test-broken.json": false, "api.json": true,
	} {
		if _, err := os.Stat(filepath.Join(out, path)); (err == nil) != exists {
			t.Errorf("%s: %v, want it to exist: %t", path, err, exists)
		}
	}
}

// TestFailFast builds a stage that never ends beside one that fails.
func TestFailFast(t *testing.T) {
	env, _ := suite.Product(t)
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": `FROM busybox AS endless
RUN sleep 3600
FROM busybox AS broken
COPY absent /
`})
	res, err := testkit.Build(t, env, "--stage=*", "--fail-fast", "--progress=plain", "--output=type=cacheonly", dir)
	testkit.WantFailure(t, err)
	for _, want := range []string{"ERROR: broken: failed to build", "endless   " + env.Platform + "   stopped"} {
		if !strings.Contains(res.Stderr, want) {
			t.Errorf("missing in the output: %s\n%s", want, res.Stderr)
		}
	}
	if strings.Contains(res.Stderr, "ERROR: endless") {
		t.Errorf("the stopped stage is reported as failed:\n%s", res.Stderr)
	}
}

// TestStagesOfRemoteContexts selects stages of a Dockerfile that is not in a local
// directory.
func TestStagesOfRemoteContexts(t *testing.T) {
	env, _ := suite.Product(t)
	files := map[string]string{
		"Dockerfile": "FROM scratch AS one\nCOPY f /one\nFROM scratch AS two\nCOPY f /two\n", "f": "content",
	}
	dir, archive := testkit.WriteContext(t, files), testkit.TarOf(t, files)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(archive)
	}))
	defer server.Close()
	for name, test := range map[string]struct {
		args  []string
		stdin []byte
	}{
		"archive on standard input":    {[]string{"-"}, archive},
		"Dockerfile on standard input": {[]string{"--file=-", dir}, []byte(files["Dockerfile"])},
		"archive of a server":          {[]string{server.URL + "/context.tar"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			args := append([]string{"build", "--stage=*", "--output=type=local,dest=" + filepath.Join(out, "{{.Stage}}")}, test.args...)
			cmd := env.Command(t.Context(), "docker-stagebuild", args...)
			cmd.Stdin = bytes.NewReader(test.stdin)
			if log, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, log)
			}
			for _, stage := range []string{"one", "two"} {
				if got, err := os.ReadFile(filepath.Join(out, stage, stage)); string(got) != "content" {
					t.Errorf("%s: %q, %v", stage, got, err)
				}
			}
		})
	}
}

// TestStepsNameTheirStage checks the names of stages in the progress: variants have their
// line, and stages without a name have their number in the user's file.
func TestStepsNameTheirStage(t *testing.T) {
	env, frontend := suite.Product(t)
	r := testkit.Request{Files: map[string]string{"f": ""}, Dockerfile: `FROM --for=linux/arm64 busybox AS base
COPY f /arm
FROM busybox AS base
COPY f /other
FROM --for=windows base
FROM base AS last
COPY f /last
FROM busybox
COPY f /unnamed
FROM --for=linux/amd64 busybox
FROM --for=linux/amd64 busybox
FROM base AS tools
COPY --from=4 /unnamed /
FROM last
COPY --from=base::linux/arm64 /arm /
COPY --from=tools::linux/arm64 /unnamed /
`}
	dir := r.WriteContext(t, frontend)
	for _, command := range []string{"docker-stagebuild", "docker-buildx"} {
		out, err := env.Run(t.Context(), command, "build", "--progress=rawjson", "--platform=linux/amd64", "--output=type=cacheonly", dir)
		if err != nil {
			t.Fatal(err)
		}
		// The "# syntax=" line is line 1.
		byName := testkit.Vertices(t, out.Stderr)
		for _, want := range []string{
			"[base (line 4) 2/2] COPY f /other", "[last 1/1] COPY f /last", "[linux/arm64 base (line 2) 2/2] COPY f /arm",
			"[linux/arm64 stage-4 2/2] COPY f /unnamed", "[stage-8 1/2] COPY --from=base::linux/arm64 /arm /",
		} {
			if len(byName[want]) != 1 {
				t.Errorf("%s: no step is named %s: %v", command, want, slices.Sorted(maps.Keys(byName)))
			}
		}
	}
}

// TestStagesKeepStepNames builds several results, which are one call of buildx's pipeline.
// Only names without brackets get the name of the result.
func TestStagesKeepStepNames(t *testing.T) {
	env, _ := suite.Product(t)
	dir, out := stagesContext(t), t.TempDir()
	res, err := testkit.Build(t, env, "--stage=api,worker", "--platform=all", "--no-cache", "--progress=rawjson",
		"--output=type=oci,dest="+filepath.Join(out, "{{.Stage}}-{{.Arch}}.tar"), dir)
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(testkit.Vertices(t, res.Stderr)))
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
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM scratch AS valid\nCOPY f /\nFROM scratch AS " + long + "\nCOPY f /\n", "f": ""})
	ids := t.TempDir()
	res, err := testkit.Build(t, env, "--stage=*", "--progress=plain", "--push", "--tag="+env.Registry.Ref("setup:{{.Stage}}"),
		"--iidfile="+filepath.Join(ids, "{{.Stage}}"), dir)
	testkit.WantFailure(t, err)
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
