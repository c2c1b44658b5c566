package engines

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

func TestBuildLoadRun(t *testing.T) {
	each(t, allKinds, func(t *testing.T, g engine) {
		dir := g.staged(t)
		g.build(t, "--load", "-t", "load", dir)
		g.wantRun(t, "load", "release, run")
		g.build(t, "--load", "-t", "load:debug", "--build-arg=FLAVOR=debug", dir)
		g.wantRun(t, "load:debug", "debug, run")
		// As with docker buildx build, results are loaded into the engine by default.
		g.build(t, "-t", "default", dir)
		g.wantRun(t, "default", "release, run")
		// The same program, run directly and not as a plugin.
		if _, err := g.Run(t.Context(), "docker-stagebuild", "build", "--load", "-t", "alone", dir); err != nil {
			t.Fatal(err)
		}
		g.wantRun(t, "alone", "release, run")
	})
}

func TestSeveralStages(t *testing.T) {
	each(t, allKinds, func(t *testing.T, g engine) {
		dir := testkit.WriteContext(t, map[string]string{"Dockerfile": `
FROM busybox AS base
RUN date +%s.%N > /made
FROM base AS api
RUN echo api > /who
FROM base AS worker
RUN echo worker > /who
`})
		g.build(t, "--stage=api,worker", "-t", "stages:{{.Stage}}", dir)
		read := func(image, file string) string { return g.docker(t, "run", "--rm", "--pull=never", image, "cat", file) }
		for _, stage := range []string{"api", "worker"} {
			if got := read("stages:"+stage, "/who"); got != stage {
				t.Errorf("stages:%s is %q", stage, got)
			}
		}
		if a, b := read("stages:api", "/made"), read("stages:worker", "/made"); a != b {
			t.Errorf("the base of both stages was built twice: %s, %s", a, b)
		}
	})
}

func TestImageIDMatchesEngine(t *testing.T) {
	each(t, allKinds, func(t *testing.T, g engine) {
		out := t.TempDir()
		idFile, metadataFile := filepath.Join(out, "id"), filepath.Join(out, "metadata.json")
		dir := g.staged(t)
		g.build(t, "--load", "-t", "id", "--iidfile", idFile, "--metadata-file", metadataFile, dir)
		want := g.docker(t, "image", "inspect", "--format={{.Id}}", "id")
		id, err := os.ReadFile(idFile)
		if err != nil {
			t.Fatal(err)
		}
		if string(id) != want {
			t.Errorf("--iidfile holds %s, the image is %s", id, want)
		}
		data, err := os.ReadFile(metadataFile)
		if err != nil {
			t.Fatal(err)
		}
		var metadata struct {
			Digest string `json:"containerimage.digest"`
		}
		if err := json.Unmarshal(data, &metadata); err != nil {
			t.Fatal(err)
		}
		if metadata.Digest != want {
			t.Errorf("--metadata-file has %q, the image is %s", metadata.Digest, want)
		}
		quiet := g.docker(t, "stagebuild", "build", "--quiet", "-t", "id", dir)
		if want := g.docker(t, "image", "inspect", "--format={{.Id}}", "id"); quiet != want {
			t.Errorf("--quiet prints %q, the image is %s", quiet, want)
		}
	})
}

func TestPush(t *testing.T) {
	each(t, allKinds, func(t *testing.T, g engine) {
		repo := "engines/push:" + string(g.Kind)
		g.build(t, "--push", "-t", g.env.Registry.Ref(repo), "--build-arg=FLAVOR=debug", g.staged(t))
		res, err := g.env.Registry.Read(t.Context(), repo)
		if err != nil {
			t.Fatal(err)
		}
		img, err := res.Image(g.env.Platform)
		if err != nil {
			t.Fatal(err)
		}
		if got := img.Env("FLAVOR"); got != "debug" {
			t.Errorf("FLAVOR is %q in the pushed image", got)
		}
	})
}

func TestLocalOutput(t *testing.T) {
	each(t, allKinds, func(t *testing.T, g engine) {
		out := t.TempDir()
		g.build(t, "-o", "type=local,dest="+out, g.staged(t))
		wantFile(t, out, "how", "run")
	})
}

func TestDockerfileOnStandardInput(t *testing.T) {
	each(t, allKinds, func(t *testing.T, g engine) {
		cmd := g.Command(t.Context(), "docker", "stagebuild", "build", "--load", "-t", "stdin", "-")
		cmd.Stdin = strings.NewReader("ARG N=1\nFROM busybox\nENV --if='N == \"1\"' N=one\nCMD echo $N\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		g.wantRun(t, "stdin", "one")
	})
}

// TestCall runs subrequests, which work with the frontend of every engine.
func TestCall(t *testing.T) {
	each(t, allKinds, func(t *testing.T, g engine) {
		dir := g.staged(t)
		if got := g.docker(t, "stagebuild", "build", "--call=targets", dir); !strings.Contains(got, "app (default)") {
			t.Errorf("--call=targets prints:\n%s", got)
		}
		if got := g.docker(t, "stagebuild", "build", "--check", dir); !strings.Contains(got, "no warnings found") {
			t.Errorf("--check prints:\n%s", got)
		}
	})
}
