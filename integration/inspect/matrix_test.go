package inspect

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// matrixFile has stages for one platform and for both, and a name that is invalid for a
// target of bake.
const matrixFile = `# platforms=linux/amd64,linux/arm64
ARG GREETING
FROM --for=linux/amd64 busybox AS base
ENV SIMD=avx2
FROM busybox AS base
FROM base AS api
ARG GREETING
COPY api.txt /
ENV GREETING=$GREETING
FROM base AS worker.v2
COPY worker.txt /
FROM --for=linux/arm64 base AS edge
COPY --from=shared shared.txt /
`

// matrixContext writes matrixFile and its build contexts.
func matrixContext(t *testing.T, frontend string) string {
	t.Helper()
	return testkit.Request{Dockerfile: matrixFile, Files: map[string]string{
		"api.txt": "api", "worker.txt": "worker", "contexts/shared/shared.txt": "shared",
	}}.WriteContext(t, frontend)
}

// shell runs a command line as the documents show it and returns its output.
func shell(t *testing.T, env *harness.Env, dir, line string) string {
	t.Helper()
	cmd := env.Command(t.Context(), "bash", "-euo", "pipefail", "-c", line)
	cmd.Dir = dir
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, log.String())
	}
	return string(out)
}

// TestMatrixBake pipes the matrix into bake, which runs the frontend image: each stage
// becomes one image for its platforms, equal to the one that the plugin builds.
func TestMatrixBake(t *testing.T) {
	env, frontend := suite.Product(t)
	dir := matrixContext(t, frontend)
	flags := strings.Join([]string{
		`--stage '!base' --platform all --build-arg SOURCE_DATE_EPOCH=1 --build-arg 'GREETING=${HOME} %{x}'`,
		`--build-context shared=contexts/shared`,
	}, " ")
	tag := func(kind string) string { return " --tag '" + env.Registry.Ref("matrix/"+kind) + ":{{.Stage}}' " }
	shell(t, env, dir, "docker stagebuild matrix --format bake "+flags+tag("bake")+". | docker buildx bake -f - --push --provenance=false")
	shell(t, env, dir, "docker stagebuild build --push --provenance=false "+flags+tag("plugin")+".")
	for stage, want := range map[string]string{
		"api": "linux/amd64 linux/arm64", "worker.v2": "linux/amd64 linux/arm64", "edge": "linux/arm64",
	} {
		baked, err := env.Registry.Read(t.Context(), "matrix/bake:"+stage)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := strings.Join(baked.Platforms(), " "); got != want {
			t.Errorf("%s is for %s, want %s", stage, got, want)
		}
		built, err := env.Registry.Read(t.Context(), "matrix/plugin:"+stage)
		if err != nil {
			t.Error(err)
		} else if built.Digest != baked.Digest {
			t.Errorf("%s: bake built %s, the plugin %s", stage, baked.Digest, built.Digest)
		}
	}
	api, err := env.Registry.Read(t.Context(), "matrix/bake:api")
	if err != nil {
		t.Fatal(err)
	}
	testkit.WantEnv(t, api, "linux/amd64", "SIMD", "avx2")
	testkit.WantEnv(t, api, "linux/arm64", "SIMD", "")
	testkit.WantEnv(t, api, "linux/arm64", "GREETING", "${HOME} %{x}")
}

// TestMatrixBakeContexts bakes Dockerfiles from standard input and beside the context, a
// default stage without a name, and tags with the platform.
func TestMatrixBakeContexts(t *testing.T) {
	env, frontend := suite.Product(t)
	dir := matrixContext(t, frontend)
	testkit.WriteFile(t, filepath.Join(dir, "other.Dockerfile"), "# syntax="+frontend+"\nARG A=one\nFROM busybox AS one\nFROM ${A}\nCOPY shared.txt /nameless\n")
	ref := env.Registry.Ref("matrix/other")
	shell(t, env, dir, "docker stagebuild matrix contexts/shared -f other.Dockerfile --format bake --platform linux/amd64,linux/arm64"+
		" --tag '"+ref+":beside-{{.Stage}}-{{.Arch}}' | docker buildx bake -f - --push")
	shell(t, env, dir, "docker stagebuild matrix contexts/shared -f - --format bake --platform linux/amd64"+
		" --tag '"+ref+":stdin-{{.Stage}}' < other.Dockerfile > bake.json && docker buildx bake -f bake.json --push")
	for tag, platform := range map[string]string{
		"beside-default-amd64": "linux/amd64", "beside-default-arm64": "linux/arm64", "stdin-default": "linux/amd64",
	} {
		res, err := env.Registry.Read(t.Context(), "matrix/other:"+tag)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := res.Platforms(); !slices.Equal(got, []string{platform}) {
			t.Errorf("%s is for %v", tag, got)
		}
		testkit.WantFile(t, res, platform, "nameless", "shared")
	}
}

// githubJob is a job of a matrix as a workflow reads it.
type githubJob struct {
	Name, Stage, Platform, Runner, Image, Tags, Command string

	CacheScope string `json:"cache-scope"`
}

// githubJobs parses a job matrix as fromJSON does. Its only key must be "include".
func githubJobs(t *testing.T, text string) []githubJob {
	t.Helper()
	if strings.Count(text, "\n") != 1 {
		t.Errorf("an output of a step is one line, not\n%s", text)
	}
	d := json.NewDecoder(strings.NewReader(text))
	var m map[string][]map[string]string
	if err := d.Decode(&m); err != nil || len(m) != 1 {
		t.Fatalf("%v in %s", err, text)
	}
	dt, err := json.Marshal(m["include"])
	if err != nil {
		t.Fatal(err)
	}
	var jobs []githubJob
	if err := json.Unmarshal(dt, &jobs); err != nil {
		t.Fatal(err)
	}
	return jobs
}

// TestMatrixMerge does what the jobs of a workflow do: it builds each platform of each
// stage separately, pushes it by digest, and merges the digests with the commands that the
// matrix prints. With provenance, each digest is that of an index.
func TestMatrixMerge(t *testing.T) {
	env, frontend := suite.Product(t)
	dir := matrixContext(t, frontend)
	flags := " --stage api,edge --platform all --tag '" + env.Registry.Ref("matrix/split-{{.Stage}}:1.2") +
		"' --tag '" + env.Registry.Ref("matrix/copy-{{.Stage}}") + "' "
	if err := os.Mkdir(filepath.Join(dir, "digests"), 0o755); err != nil {
		t.Fatal(err)
	}
	var scopes []string
	for _, job := range githubJobs(t, shell(t, env, dir, "docker stagebuild matrix --format github --native"+flags)) {
		scopes = append(scopes, job.CacheScope)
		shell(t, env, dir, "docker buildx build --provenance=true --target "+job.Stage+" --platform "+job.Platform+
			" --build-context shared=contexts/shared --metadata-file metadata.json"+
			" --output type=image,name="+job.Image+",push-by-digest=true,name-canonical=true,push=true .")
		digest, _ := testkit.Metadata(t, filepath.Join(dir, "metadata.json"))["containerimage.digest"].(string)
		testkit.WriteFile(t, filepath.Join(dir, "digests", job.CacheScope), digest+"\n")
	}
	if diff := cmp.Diff([]string{"api-linux-amd64", "api-linux-arm64", "edge-linux-arm64"}, scopes); diff != "" {
		t.Fatalf("cache scopes (-want +got):\n%s", diff)
	}
	if _, err := env.Registry.Read(t.Context(), "matrix/split-api:1.2"); err == nil {
		t.Error("a job has pushed the tag")
	}
	var merges []string
	for _, job := range githubJobs(t, shell(t, env, dir, "docker stagebuild matrix --format github --merge"+flags)) {
		merges = append(merges, job.Command)
		shell(t, env, dir, job.Command)
	}
	if got := strings.Join(merges, "\n") + "\n"; got != shell(t, env, dir, "docker stagebuild matrix --merge"+flags) {
		t.Errorf("people see other commands than\n%s", got)
	}
	for repo, want := range map[string]string{
		"matrix/split-api:1.2": "linux/amd64 linux/arm64", "matrix/copy-api": "linux/amd64 linux/arm64",
		"matrix/split-edge:1.2": "linux/arm64", "matrix/copy-edge": "linux/arm64",
	} {
		res, err := env.Registry.Read(t.Context(), repo)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := strings.Join(res.Platforms(), " "); got != want {
			t.Errorf("%s is for %s, want %s", repo, got, want)
		}
		for _, img := range res.Images {
			if len(testkit.Attestations(img)) == 0 {
				t.Errorf("%s: the provenance of %s is lost", repo, img.Platform)
			}
		}
	}
	api, err := env.Registry.Read(t.Context(), "matrix/copy-api")
	if err != nil {
		t.Fatal(err)
	}
	testkit.WantFile(t, api, "linux/arm64", "api.txt", "api")
	testkit.WantEnv(t, api, "linux/amd64", "SIMD", "avx2")

	// If the job of a platform failed, the merge fails instead of creating an image
	// without that platform.
	if err := os.Remove(filepath.Join(dir, "digests", "api-linux-arm64")); err != nil {
		t.Fatal(err)
	}
	if _, err := env.Run(t.Context(), "sh", "-c", "cd "+dir+" && "+merges[0]); err == nil || !strings.Contains(err.Error(), "invalid reference format") {
		t.Errorf("an image lacks a platform: %v", err)
	}
}

// TestBakeMatrix builds a bake file whose own matrix combines stages with platforms, with
// the frontend image.
func TestBakeMatrix(t *testing.T) {
	env, frontend := suite.Product(t)
	dir := matrixContext(t, frontend)
	testkit.WriteFile(t, filepath.Join(dir, "docker-bake.hcl"), `variable "REGISTRY" {}

target "default" {
  name = replace(replace("${stage}-${platform}", "/", "-"), ".", "_")
  matrix = {
    stage    = ["api", "worker.v2"]
    platform = ["linux/amd64", "linux/arm64"]
  }
  target    = stage
  platforms = [platform]
  tags      = ["${REGISTRY}/matrix/hcl:${stage}-${split("/", platform)[1]}"]
}
`)
	shell(t, env, dir, "REGISTRY="+env.Registry.Host+" docker buildx bake --push")
	for stage, file := range map[string]string{"api": "api", "worker.v2": "worker"} {
		for arch, simd := range map[string]string{"amd64": "avx2", "arm64": ""} {
			res, err := env.Registry.Read(t.Context(), "matrix/hcl:"+stage+"-"+arch)
			if err != nil {
				t.Error(err)
				continue
			}
			if got := res.Platforms(); !slices.Equal(got, []string{"linux/" + arch}) {
				t.Errorf("%s is for %v, not for %s", stage, got, arch)
			}
			testkit.WantFile(t, res, "linux/"+arch, file+".txt", file)
			testkit.WantEnv(t, res, "linux/"+arch, "SIMD", simd)
		}
	}
}
