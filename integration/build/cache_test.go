package build

import (
	"crypto/rand"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestCaches exports a cache of each kind from one daemon and imports it into another.
func TestCaches(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedOwnDaemon(t)
	other, err := env.StartNode(t.Context(), "caches", env.Platform)
	if err != nil {
		t.Fatal(err)
	}
	dir, image := t.TempDir(), env.Registry.Ref("caches/image:1")
	run := rand.Text() // the first daemon still caches the steps of earlier runs
	for _, test := range []struct {
		name     string
		to, from []string
		// stage is a stage that the cache contains: intermediate stages are only in caches
		// of mode=max.
		stage string
	}{
		{"local", []string{"--cache-to=type=local,mode=max,dest=" + dir}, []string{"--cache-from=type=local,src=" + dir}, "random"},
		{"registry", []string{"--cache-to=type=registry,mode=max,ref=" + image + "-cache"}, []string{"--cache-from=type=registry,ref=" + image + "-cache"}, "random"},
		{"inline", []string{"--cache-to=type=inline", "--push", "--tag=" + image}, []string{"--cache-from=" + image}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			name := test.name + run
			first, _ := testkit.BuildRandom(t, env, "", name, test.to...)
			args := test.from
			if test.stage != "" {
				args = append(args, "--target="+test.stage)
			}
			second, cached := testkit.BuildRandom(t, env, other, name, args...)
			if first != second {
				t.Errorf("the step ran again: %s and %s", first, second)
			}
			if test.stage != "" && !cached {
				t.Error("the progress does not show the step as cached")
			}
			if third, _ := testkit.BuildRandom(t, env, other, name, append(args, "--no-cache")...); third == first {
				t.Error("with --no-cache the step did not run again")
			}
		})
	}
}

// TestNoCacheFilter rebuilds one of two stages.
func TestNoCacheFilter(t *testing.T) {
	env, _ := suite.Product(t)
	const random = "RUN cat /proc/sys/kernel/random/uuid > /"
	dir := testkit.WriteContext(t, map[string]string{
		"Dockerfile": "FROM busybox AS one\n" + random + "one\nFROM busybox AS two\n" + random + "two\nFROM scratch\nCOPY --from=one /one /\nCOPY --from=two /two /\n",
	})
	var results [2]map[string]string
	for i, args := range [][]string{nil, {"--no-cache-filter=two"}} {
		out := t.TempDir()
		if _, err := env.Run(t.Context(), "docker-stagebuild", append([]string{"build", "--output=" + out, dir}, args...)...); err != nil {
			t.Fatal(err)
		}
		results[i] = testkit.ListTree(t, out)
	}
	if results[0]["one"] != results[1]["one"] || results[0]["two"] == results[1]["two"] {
		t.Errorf("the results are %v", results)
	}
}
