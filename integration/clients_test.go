package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// request is a build request.
type request struct {
	dockerfile string            // without the "# syntax=" line
	files      map[string]string // the rest of the context
	contexts   map[string]string // named contexts, with values of --build-context
	platforms  []string
	target     string
	args       map[string]string
	sbom       string // "generator=IMAGE" to attach SBOMs
}

// frontendClient is one way to build a staged Dockerfile. It pushes to "repository:tag".
type frontendClient struct {
	name  string
	build func(t *testing.T, env *harness.Env, dir, repo string, r request) error
}

// clients returns all ways to build a staged Dockerfile.
func clients(frontend string) []frontendClient {
	return []frontendClient{
		{"plugin", func(t *testing.T, env *harness.Env, dir, repo string, r request) error {
			return run(t, env, append(append([]string{"docker-stagebuild", "build"}, r.flags(env, repo)...), dir))
		}},
		{"plugin with the frontend image", func(t *testing.T, env *harness.Env, dir, repo string, r request) error {
			args := append([]string{"docker-stagebuild", "build", "--frontend=image=" + frontend}, r.flags(env, repo)...)
			return run(t, env, append(args, dir))
		}},
		{"buildctl", func(t *testing.T, env *harness.Env, dir, repo string, r request) error {
			args := []string{"buildctl", "build", "--frontend=dockerfile.v0", "--local=context=" + dir, "--local=dockerfile=" + dir,
				"--opt=platform=" + strings.Join(r.platforms, ","), "--output=type=image,push=true,name=" + env.Registry.Ref(repo)}
			if r.target != "" {
				args = append(args, "--opt=target="+r.target)
			}
			if r.sbom != "" {
				args = append(args, "--opt=attest:sbom="+r.sbom)
			}
			for name, value := range r.args {
				args = append(args, "--opt=build-arg:"+name+"="+value)
			}
			for name, value := range r.contexts {
				args = append(args, buildctlContext(t, name, value)...)
			}
			return run(t, env, args)
		}},
		{"buildx", func(t *testing.T, env *harness.Env, dir, repo string, r request) error {
			return run(t, env, append(append([]string{"docker-buildx", "build"}, r.flags(env, repo)...), dir))
		}},
		{"bake", bake},
	}
}

// flags returns the flags that docker buildx build and docker stagebuild build share.
func (r request) flags(env *harness.Env, repo string) []string {
	args := []string{"--provenance=false", "--push", "--tag=" + env.Registry.Ref(repo), "--platform=" + strings.Join(r.platforms, ",")}
	if r.target != "" {
		args = append(args, "--target="+r.target)
	}
	if r.sbom != "" {
		args = append(args, "--attest=type=sbom,"+r.sbom)
	}
	for name, value := range r.args {
		args = append(args, "--build-arg="+name+"="+value)
	}
	for name, value := range r.contexts {
		args = append(args, "--build-context="+name+"="+value)
	}
	return args
}

// buildctlContext returns buildctl's flags for a named context.
func buildctlContext(t *testing.T, name, value string) []string {
	t.Helper()
	kind, rest, ok := strings.Cut(value, "://")
	switch {
	case !ok:
		return []string{"--local=" + name + "=" + value, "--opt=context:" + name + "=local:" + name}
	case kind == "oci-layout":
		dir, digest, ok := strings.Cut(rest, "@")
		if !ok {
			t.Fatalf("the context %s=%s has no digest", name, value)
		}
		return []string{"--oci-layout=" + name + "=" + dir, "--opt=context:" + name + "=oci-layout://" + name + "@" + digest}
	}
	return []string{"--opt=context:" + name + "=" + value}
}

// bake builds the request as the only target of a bake file.
func bake(t *testing.T, env *harness.Env, dir, repo string, r request) error {
	t.Helper()
	attest := []string{"type=provenance,disabled=true"}
	if r.sbom != "" {
		attest = append(attest, "type=sbom,"+r.sbom)
	}
	target := map[string]any{
		"context": dir, "contexts": r.contexts, "platforms": r.platforms, "args": r.args,
		"output": []string{"type=registry"}, "tags": []string{env.Registry.Ref(repo)},
		"attest": attest,
	}
	if r.target != "" {
		target["target"] = r.target
	}
	return runBake(t, env, map[string]any{"default": target})
}

// runBake builds the target "default" of a bake file.
func runBake(t *testing.T, env *harness.Env, targets map[string]any) error {
	t.Helper()
	data, err := json.Marshal(map[string]any{"target": targets})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(writeContext(t, map[string]string{"docker-bake.json": string(data)}), "docker-bake.json")
	// The contexts are outside of the directory in which bake runs.
	return run(t, env, []string{"docker-buildx", "bake", "--file=" + file, "--allow=fs.read=*"})
}

func run(t *testing.T, env *harness.Env, args []string) error {
	t.Helper()
	_, err := env.Run(t.Context(), args[0], args[1:]...)
	return err
}

// writeContext writes the build context.
func (r request) writeContext(t *testing.T, frontend string) string {
	t.Helper()
	dir := writeContext(t, r.files)
	text := "# syntax=" + frontend + "\n" + r.dockerfile
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// buildWithEveryClient builds the request with every client, compares the results and
// returns one of them.
func buildWithEveryClient(t *testing.T, suite *harness.Suite, repo string, r request) *harness.Result {
	t.Helper()
	env, frontend := suite.Product(t)
	dir := r.writeContext(t, frontend)
	var first *harness.Result
	for i, w := range clients(frontend) {
		name := repo + ":" + []string{"inprocess", "image", "buildctl", "buildx", "bake"}[i]
		if err := w.build(t, env, dir, name, r); err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		res, err := env.Registry.Read(t.Context(), name)
		if err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		if first == nil {
			first = res
		}
		for k, img := range res.Images {
			if diff := cmp.Diff(first.Images[k].Layers, img.Layers); diff != "" {
				t.Errorf("%s: layers of %s differ from those built in-process:\n%s", w.name, img.Platform, diff)
			}
			if diff := cmp.Diff(first.Images[k].Config.Config, img.Config.Config); diff != "" {
				t.Errorf("%s: config of %s differs from the one built in-process:\n%s", w.name, img.Platform, diff)
			}
			if diff := cmp.Diff(attestations(first.Images[k]), attestations(img)); diff != "" {
				t.Errorf("%s: attestations of %s differ from those built in-process:\n%s", w.name, img.Platform, diff)
			}
		}
		if got := res.Platforms(); !slices.Equal(got, r.platforms) {
			t.Errorf("%s: platforms are %v, want %v", w.name, got, r.platforms)
		}
	}
	return first
}

// attestations returns the type and predicate of each attestation of an image.
func attestations(img harness.Image) []string {
	var list []string
	for _, a := range img.Attestations {
		list = append(list, a.PredicateType+" "+string(a.Predicate))
	}
	return list
}

// wantFile checks a file of one platform's image.
func wantFile(t *testing.T, res *harness.Result, platform, path, want string) {
	t.Helper()
	img, err := res.Image(platform)
	if err != nil {
		t.Fatal(err)
	}
	got, err := img.ReadFile(path)
	if err != nil {
		t.Error(err)
	} else if string(got) != want {
		t.Errorf("%s: /%s is %q, want %q", platform, path, got, want)
	}
}

// wantFiles checks which of the given files one platform's image contains.
func wantFiles(t *testing.T, res *harness.Result, platform string, want map[string]bool) {
	t.Helper()
	img, err := res.Image(platform)
	if err != nil {
		t.Fatal(err)
	}
	files, err := img.Files()
	if err != nil {
		t.Fatal(err)
	}
	for path, exists := range want {
		if slices.Contains(files, path) != exists {
			t.Errorf("%s: /%s exists: %v, want %v", platform, path, !exists, exists)
		}
	}
}

// wantEnv checks an environment variable of one platform's image, "" if it must be unset.
func wantEnv(t *testing.T, res *harness.Result, platform, name, want string) {
	t.Helper()
	img, err := res.Image(platform)
	if err != nil {
		t.Fatal(err)
	}
	if got := img.Env(name); got != want {
		t.Errorf("%s: %s is %q, want %q", platform, name, got, want)
	}
}
