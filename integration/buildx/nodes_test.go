package buildx

import (
	"crypto/rand"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestNodes builds on a builder with two nodes, each for a different platform.
func TestNodes(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedOwnDaemon(t)
	builder, foreign, _ := testkit.CreateTwoNodes(t, env, "pair")
	both := "--platform=" + env.Platform + "," + foreign
	for _, a := range []comparison{
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
		first, _ := testkit.BuildRandom(t, env, "", name, "--builder="+builder, "--platform="+env.Platform, "--cache-to="+cache)
		second, cached := testkit.BuildRandom(t, env, "", name, "--builder="+builder, "--platform="+foreign, "--cache-from="+cache)
		if first != second || !cached {
			t.Errorf("the step was cached: %t; its values are %s and %s", cached, first, second)
		}
	})
}

// TestForeignBuilderPlatform builds without --platform on a builder whose platform is not
// that of the plugin: index and config both have the platform of the builder.
func TestForeignBuilderPlatform(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedOwnDaemon(t)
	foreign := testkit.ForeignPlatform(env)
	addr, err := env.StartNode(t.Context(), "alone", foreign)
	if err != nil {
		t.Fatal(err)
	}
	testkit.CreateBuilder(t, env, "alone", []string{"create", "--name=alone", "--driver=remote", addr})
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": copyFile, "a.txt": "a"})
	out := filepath.Join(t.TempDir(), "oci")
	if _, err := testkit.Build(t, env, "--builder=alone", "--output=type=oci,tar=false,dest="+out, dir); err != nil {
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
		t.Errorf("the platform in the index is %v, want %s", got, foreign)
	}
	res, err := harness.ReadOCI(out, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Platforms(); !slices.Equal(got, []string{foreign}) {
		t.Errorf("the platform in the config is %v, want %s", got, foreign)
	}
}
