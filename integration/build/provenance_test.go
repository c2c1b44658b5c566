package build

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// provenanceFile has a build arg, which the provenance lists among the options of the
// frontend.
const provenanceFile = "FROM busybox\nARG WHO\nCOPY Dockerfile /file\n"

// TestProvenance compares the provenance of an in-process build with that of buildx. The
// differences are those that docs/reference.md describes.
func TestProvenance(t *testing.T) {
	env, _ := suite.Product(t)
	files := map[string]string{"Dockerfile": provenanceFile}
	dir, git := testkit.WriteContext(t, files), testkit.ServeGit(t, testkit.GitBranch{Name: "trunk", Files: files})
	// The options of the request appear a second time, as those of the root request.
	const request, root = "- buildDefinition.externalParameters.", "- buildDefinition.externalParameters.request.root."
	always := []string{
		request + "configSource.path: Dockerfile",
		root + "configSource.path: Dockerfile",
		request + "request.frontend: dockerfile.v0",
		"- buildDefinition.internalParameters.dockerfileVersion: VERSION",
	}
	ofMax := append([]string{
		request + "request.args.build-arg:WHO: me",
		root + "request.args.build-arg:WHO: me",
		"+ runDetails.metadata.buildkit_completeness.request: false",
		"- runDetails.metadata.buildkit_completeness.request: true",
	}, always...)
	ofGit := append([]string{
		request + "configSource.uri: " + git,
		request + "configSource.digest.sha1: COMMIT",
		root + "configSource.uri: " + git,
		root + "configSource.digest.sha1: COMMIT",
	}, ofMax...)
	for _, test := range []struct {
		name, mode, context string
		want                []string
	}{
		{"min", "min", dir, always},
		{"max", "max", dir, ofMax},
		{"max of git", "max", git, ofGit},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := []string{"--provenance=mode=" + test.mode, test.context}
			got := difference(buildProvenance(t, env, "docker-buildx", args...), buildProvenance(t, env, "docker-stagebuild", args...))
			slices.Sort(test.want)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("difference to buildx (-want +got):\n%s", diff)
			}
		})
	}
}

// TestProvenanceOfFrontendImage checks the parts of the provenance that only a build with the
// frontend image has.
func TestProvenanceOfFrontendImage(t *testing.T) {
	env, frontend := suite.Product(t)
	env.NeedMirror(t)
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": provenanceFile})
	image := strings.TrimPrefix(frontend, env.Registry.Host+"/")
	for flag, ref := range map[string]string{"image": image, "image=" + frontend: frontend} {
		for _, mode := range []string{"min", "max"} {
			t.Run(flag+" "+mode, func(t *testing.T) {
				got := buildProvenance(t, env, "docker-stagebuild", "--provenance=mode="+mode, "--frontend="+flag, dir)
				const request = "buildDefinition.externalParameters.request."
				want := []string{
					"buildDefinition.externalParameters.configSource.path: Dockerfile",
					request + "frontend: gateway.v0",
					request + "args.source: " + ref,
				}
				if mode == "max" {
					want = append(want, request+"args.build-arg:WHO: me", "runDetails.metadata.buildkit_completeness.request: true")
				}
				for _, line := range want {
					if !slices.Contains(got, line) {
						t.Errorf("there is no %s in\n%s", line, strings.Join(got, "\n"))
					}
				}
				material := "pkg:docker/" + strings.Replace(ref, ":1", "@1", 1)
				if !slices.ContainsFunc(got, func(line string) bool { return strings.HasSuffix(line, ".uri: "+material) }) {
					t.Errorf("the image %s is not a material:\n%s", material, strings.Join(got, "\n"))
				}
			})
		}
	}
}

// TestProvenanceOfSeveralResults compares the provenance of results that are built
// together with that of each alone. The image of the SBOM generator is a material too.
func TestProvenanceOfSeveralResults(t *testing.T) {
	env, _ := suite.Product(t)
	files := map[string]string{"Dockerfile": `FROM busybox AS base
FROM base AS a
ENV A=1
FROM base AS copies
COPY Dockerfile /
FROM scratch AS named
COPY --from=other Dockerfile /
`}
	scanner := testkit.PushScanner(t, env)
	dir, git, other := testkit.WriteContext(t, files), testkit.ServeGit(t, testkit.GitBranch{Name: "trunk", Files: files}), testkit.WriteContext(t, files)
	const (
		metadata     = "runDetails.metadata.buildkit_"
		incomplete   = metadata + "completeness.resolvedDependencies: false"
		dependencies = "buildDefinition.resolvedDependencies."
	)
	for _, test := range []struct {
		name, context string
		want          map[string][]string // by stage
	}{
		{"local", dir, map[string][]string{"a": {incomplete}, "copies": {incomplete}, "named": {incomplete}}},
		{"git", git, map[string][]string{
			"a":      {metadata + "hermetic: true", dependencies + "2.uri: " + git},
			"copies": {metadata + "hermetic: true", dependencies + "2.uri: " + git},
			"named":  {incomplete, dependencies + "1.uri: " + git},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			repo := env.Registry.Ref("provenance/several-" + test.name)
			args := []string{"build", "--provenance=mode=min", "--sbom=generator=" + scanner, "--build-context=other=" + other,
				"--push", "--tag=" + repo + ":{{.Stage}}", test.context}
			if _, err := env.Run(t.Context(), "docker-stagebuild", append(args, "--stage=a,copies,named")...); err != nil {
				t.Fatal(err)
			}
			for stage, want := range test.want {
				together := readProvenance(t, env, repo+":"+stage)
				if _, err := env.Run(t.Context(), "docker-stagebuild", append(args, "--stage="+stage)...); err != nil {
					t.Fatal(err)
				}
				alone := readProvenance(t, env, repo+":"+stage)
				if diff := cmp.Diff(alone, together); diff != "" {
					t.Errorf("%s (-alone +together):\n%s", stage, diff)
				}
				for _, line := range want {
					if !slices.Contains(together, line) {
						t.Errorf("%s: there is no %s in\n%s", stage, line, strings.Join(together, "\n"))
					}
				}
			}
		})
	}
}

// buildProvenance builds with a program and returns the provenance of the image.
func buildProvenance(t *testing.T, env *harness.Env, program string, args ...string) []string {
	t.Helper()
	ref := env.Registry.Ref("provenance/of:1")
	if _, err := env.Run(t.Context(), program, append([]string{"build", "--build-arg=WHO=me", "--push", "--tag=" + ref}, args...)...); err != nil {
		t.Fatal(err)
	}
	return readProvenance(t, env, ref)
}

// readProvenance returns the provenance of an image as sorted lines "path: value", without
// values that differ from run to run.
func readProvenance(t *testing.T, env *harness.Env, ref string) []string {
	t.Helper()
	out, err := env.Buildx(t.Context(), "imagetools", "inspect", ref, "--format={{json .Provenance.SLSA}}")
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal([]byte(out.Stdout), &value); err != nil {
		t.Fatal(err)
	}
	volatile := regexp.MustCompile(`\.(startedOn|finishedOn|invocationId)$|\.digestMapping\.`)
	var lines []string
	flatten("", value, func(path string, v any) {
		if !volatile.MatchString(path) {
			lines = append(lines, fmt.Sprintf("%s: %v", path, v))
		}
	})
	slices.Sort(lines)
	return lines
}

// flatten calls visit for every scalar in a JSON value.
func flatten(path string, value any, visit func(path string, v any)) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			flatten(strings.TrimPrefix(path+"."+name, "."), inner, visit)
		}
	case []any:
		for i, inner := range v {
			flatten(fmt.Sprintf("%s.%d", path, i), inner, visit)
		}
	default:
		visit(path, v)
	}
}

// difference returns the lines that are in only one of two sorted lists, without versions
// and commits.
func difference(before, after []string) []string {
	var lines []string
	for _, line := range before {
		if !slices.Contains(after, line) {
			lines = append(lines, "- "+line)
		}
	}
	for _, line := range after {
		if !slices.Contains(before, line) {
			lines = append(lines, "+ "+line)
		}
	}
	for i, line := range lines {
		line = regexp.MustCompile(`dockerfileVersion: .*`).ReplaceAllString(line, "dockerfileVersion: VERSION")
		lines[i] = regexp.MustCompile(`sha1: .*`).ReplaceAllString(line, "sha1: COMMIT")
	}
	slices.Sort(lines)
	return lines
}
