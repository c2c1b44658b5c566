package integration

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/stagebuild/stagebuild/integration/harness"
)

// TestNodes builds on a builder of two nodes, each for a platform of its own.
func TestNodes(t *testing.T) {
	env, _ := productEnv(t)
	env.NeedOwnDaemon(t)
	builder, foreign, _ := createPair(t, env, "pair")
	both := "--platform=" + env.Platform + "," + foreign
	for _, a := range []alike{
		{name: "index", args: []string{both, "--push", "--tag={registry}/nodes/index", "--annotation=index:for=both", "--iidfile={out}/iid"}},
		{name: "index by digest", args: []string{both, "--output=type=image,name={registry}/nodes/digest,push=true,push-by-digest=true"}},
		{name: "files of both", args: []string{both, "--output=type=local,dest={out}/files"}},
		{name: "one of them", args: []string{"--platform=" + foreign, "--output=type=oci,dest={out}/image.tar"}},
	} {
		t.Run(a.name, func(t *testing.T) {
			a.files = map[string]string{"Dockerfile": copyFile, "a.txt": "a"}
			a.args = append(a.args, "--builder="+builder)
			a.check(t, env)
		})
	}
	t.Run("cache of a registry for both", func(t *testing.T) {
		cache := "type=registry,mode=max,ref=" + env.Registry.Ref("nodes/cache")
		name := rand.Text()
		first, _ := draw(t, env, "", name, "--builder="+builder, "--platform="+env.Platform, "--cache-to="+cache)
		second, cached := draw(t, env, "", name, "--builder="+builder, "--platform="+foreign, "--cache-from="+cache)
		if first != second || !cached {
			t.Errorf("the step was cached: %t; it drew %s and %s", cached, first, second)
		}
	})
}

// TestPlatformOfAForeignBuilder builds for no platform on a builder of another one
// than the plugin's: the index says of the image what its config says.
func TestPlatformOfAForeignBuilder(t *testing.T) {
	env, _ := productEnv(t)
	env.NeedOwnDaemon(t)
	foreign := foreignPlatform(env)
	addr, err := env.StartNode(t.Context(), "alone", foreign)
	if err != nil {
		t.Fatal(err)
	}
	createBuilder(t, env, "alone", []string{"create", "--name=alone", "--driver=remote", addr})
	dir := writeContext(t, map[string]string{"Dockerfile": copyFile, "a.txt": "a"})
	out := filepath.Join(t.TempDir(), "oci")
	if _, err := stagebuild(t, env, "--builder=alone", "--output=type=oci,tar=false,dest="+out, dir); err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(out)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if got := manifest.Manifests[0].Platform; got == nil || got.String() != foreign {
		t.Errorf("the index says that the image is for %v, want %s", got, foreign)
	}
	res, err := harness.ReadOCI(out, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Platforms(); !slices.Equal(got, []string{foreign}) {
		t.Errorf("the image's config says that it is for %v, want %s", got, foreign)
	}
}

// foreignPlatform is another platform than that of the environment.
func foreignPlatform(env *harness.Env) string {
	if env.Platform == "linux/arm64" {
		return "linux/amd64"
	}
	return "linux/arm64"
}

// createPair creates a builder of two nodes, of which the second one, a new one, is
// for a foreign platform. It returns the names of both, and where that node is.
func createPair(t *testing.T, env *harness.Env, name string) (builder, foreign, addr string) {
	t.Helper()
	foreign = foreignPlatform(env)
	addr, err := env.StartNode(t.Context(), name, foreign)
	if err != nil {
		t.Fatal(err)
	}
	createBuilder(t, env, name,
		[]string{"create", "--name=" + name, "--driver=remote", "--node=native", "--platform=" + env.Platform, env.BuildkitAddr},
		[]string{"create", "--name=" + name, "--append", "--driver=remote", "--node=foreign", "--platform=" + foreign, addr},
	)
	return name, foreign, addr
}

// createBuilder creates a builder with buildx commands, and removes it after the
// test.
func createBuilder(t *testing.T, env *harness.Env, name string, commands ...[]string) {
	t.Helper()
	t.Cleanup(func() {
		if _, err := env.Buildx(context.Background(), "rm", name); err != nil {
			t.Error(err)
		}
	})
	for _, args := range commands {
		if _, err := env.Buildx(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
}
