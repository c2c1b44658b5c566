package testkit

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

// Request is a build request.
type Request struct {
	Dockerfile string            // without the "# syntax=" line
	Files      map[string]string // the rest of the context
	Contexts   map[string]string // named contexts, with values of --build-context
	Platforms  []string
	Target     string
	Args       map[string]string
	SBOM       string // "generator=IMAGE" to attach SBOMs
}

// Client is one way to build a staged Dockerfile. It pushes to "repository:tag".
type Client struct {
	Name  string
	Build func(t *testing.T, env *harness.Env, dir, repo string, r Request) error
}

// Clients returns all ways to build a staged Dockerfile.
func Clients(frontend string) []Client {
	return []Client{
		{"plugin", func(t *testing.T, env *harness.Env, dir, repo string, r Request) error {
			return Run(t, env, append(append([]string{"docker-stagebuild", "build"}, r.Flags(env, repo)...), dir))
		}},
		{"plugin with the frontend image", func(t *testing.T, env *harness.Env, dir, repo string, r Request) error {
			args := append([]string{"docker-stagebuild", "build", "--frontend=image=" + frontend}, r.Flags(env, repo)...)
			return Run(t, env, append(args, dir))
		}},
		{"buildctl", func(t *testing.T, env *harness.Env, dir, repo string, r Request) error {
			args := []string{"buildctl", "build", "--frontend=dockerfile.v0", "--local=context=" + dir, "--local=dockerfile=" + dir,
				"--opt=platform=" + strings.Join(r.Platforms, ","), "--output=type=image,push=true,name=" + env.Registry.Ref(repo)}
			if r.Target != "" {
				args = append(args, "--opt=target="+r.Target)
			}
			if r.SBOM != "" {
				args = append(args, "--opt=attest:sbom="+r.SBOM)
			}
			for name, value := range r.Args {
				args = append(args, "--opt=build-arg:"+name+"="+value)
			}
			for name, value := range r.Contexts {
				args = append(args, buildctlContext(t, name, value)...)
			}
			return Run(t, env, args)
		}},
		{"buildx", func(t *testing.T, env *harness.Env, dir, repo string, r Request) error {
			return Run(t, env, append(append([]string{"docker-buildx", "build"}, r.Flags(env, repo)...), dir))
		}},
		{"bake", bake},
	}
}

// Flags returns the flags that docker buildx build and docker stagebuild build share.
func (r Request) Flags(env *harness.Env, repo string) []string {
	args := []string{"--provenance=false", "--push", "--tag=" + env.Registry.Ref(repo), "--platform=" + strings.Join(r.Platforms, ",")}
	if r.Target != "" {
		args = append(args, "--target="+r.Target)
	}
	if r.SBOM != "" {
		args = append(args, "--attest=type=sbom,"+r.SBOM)
	}
	for name, value := range r.Args {
		args = append(args, "--build-arg="+name+"="+value)
	}
	for name, value := range r.Contexts {
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
func bake(t *testing.T, env *harness.Env, dir, repo string, r Request) error {
	t.Helper()
	attest := []string{"type=provenance,disabled=true"}
	if r.SBOM != "" {
		attest = append(attest, "type=sbom,"+r.SBOM)
	}
	target := map[string]any{
		"context": dir, "contexts": r.Contexts, "platforms": r.Platforms, "args": r.Args,
		"output": []string{"type=registry"}, "tags": []string{env.Registry.Ref(repo)},
		"attest": attest,
	}
	if r.Target != "" {
		target["target"] = r.Target
	}
	return RunBake(t, env, map[string]any{"default": target})
}

// RunBake builds the target "default" of a bake file.
func RunBake(t *testing.T, env *harness.Env, targets map[string]any) error {
	t.Helper()
	data, err := json.Marshal(map[string]any{"target": targets})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(WriteContext(t, map[string]string{"docker-bake.json": string(data)}), "docker-bake.json")
	// The contexts are outside of the directory in which bake runs.
	return Run(t, env, []string{"docker-buildx", "bake", "--file=" + file, "--allow=fs.read=*"})
}

// WriteContext writes the build context.
func (r Request) WriteContext(t *testing.T, frontend string) string {
	t.Helper()
	dir := WriteContext(t, r.Files)
	text := "# syntax=" + frontend + "\n" + r.Dockerfile
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// BuildWithEveryClient builds the request with every client, compares the results and
// returns one of them.
func BuildWithEveryClient(t *testing.T, suite *harness.Suite, repo string, r Request) *harness.Result {
	t.Helper()
	env, frontend := suite.Product(t)
	dir := r.WriteContext(t, frontend)
	var first *harness.Result
	for i, w := range Clients(frontend) {
		name := repo + ":" + []string{"inprocess", "image", "buildctl", "buildx", "bake"}[i]
		if err := w.Build(t, env, dir, name, r); err != nil {
			t.Fatalf("%s: %v", w.Name, err)
		}
		res, err := env.Registry.Read(t.Context(), name)
		if err != nil {
			t.Fatalf("%s: %v", w.Name, err)
		}
		if first == nil {
			first = res
		}
		for k, img := range res.Images {
			if diff := cmp.Diff(first.Images[k].Layers, img.Layers); diff != "" {
				t.Errorf("%s: layers of %s differ from those built in-process:\n%s", w.Name, img.Platform, diff)
			}
			if diff := cmp.Diff(first.Images[k].Config.Config, img.Config.Config); diff != "" {
				t.Errorf("%s: config of %s differs from the one built in-process:\n%s", w.Name, img.Platform, diff)
			}
			if diff := cmp.Diff(Attestations(first.Images[k]), Attestations(img)); diff != "" {
				t.Errorf("%s: attestations of %s differ from those built in-process:\n%s", w.Name, img.Platform, diff)
			}
		}
		if got := res.Platforms(); !slices.Equal(got, r.Platforms) {
			t.Errorf("%s: platforms are %v, want %v", w.Name, got, r.Platforms)
		}
	}
	return first
}

// BothPlatforms returns the platforms of the base images in the registry.
func BothPlatforms() []string { return []string{"linux/amd64", "linux/arm64"} }
