package integration

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// randomFile has a step that writes a random value. Two builds get the same value if the
// second one finds the step in a cache.
const randomFile = `FROM --platform={platform} busybox AS random
RUN : {name} && cat /proc/sys/kernel/random/uuid > /id
FROM busybox
COPY --from=random /id /id
`

// buildRandom builds randomFile and returns the random value and whether the step was
// cached. Each name is a separate build.
func buildRandom(t *testing.T, env *harness.Env, host, name string, args ...string) (id string, cached bool) {
	t.Helper()
	file := strings.NewReplacer("{name}", name, "{platform}", env.Platform).Replace(randomFile)
	dir, out := writeContext(t, map[string]string{"Dockerfile": file}), t.TempDir()
	args = append([]string{"build", "--progress=rawjson", "--output=type=local,dest=" + out, dir}, args...)
	cmd := env.Command(t.Context(), "docker-stagebuild", args...)
	if host != "" {
		cmd.Env = append(cmd.Env, "BUILDKIT_HOST="+host)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, stderr.String())
	}
	data, err := os.ReadFile(filepath.Join(out, "id"))
	if err != nil {
		t.Fatal(err)
	}
	// A step from a registry cache is reported twice: when it is found and when it is
	// fetched.
	for line := range strings.Lines(stderr.String()) {
		var status client.SolveStatus
		if err := json.Unmarshal([]byte(line), &status); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		for _, v := range status.Vertexes {
			cached = cached || v.Cached && strings.Contains(v.Name, "RUN : "+name)
		}
	}
	return string(data), cached
}

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
			first, _ := buildRandom(t, env, "", name, test.to...)
			args := test.from
			if test.stage != "" {
				args = append(args, "--target="+test.stage)
			}
			second, cached := buildRandom(t, env, other, name, args...)
			if first != second {
				t.Errorf("the step ran again: %s and %s", first, second)
			}
			if test.stage != "" && !cached {
				t.Error("the progress does not show the step as cached")
			}
			if third, _ := buildRandom(t, env, other, name, append(args, "--no-cache")...); third == first {
				t.Error("with --no-cache the step did not run again")
			}
		})
	}
}

// TestNoCacheFilter rebuilds one of two stages.
func TestNoCacheFilter(t *testing.T) {
	env, _ := suite.Product(t)
	const random = "RUN cat /proc/sys/kernel/random/uuid > /"
	dir := writeContext(t, map[string]string{
		"Dockerfile": "FROM busybox AS one\n" + random + "one\nFROM busybox AS two\n" + random + "two\nFROM scratch\nCOPY --from=one /one /\nCOPY --from=two /two /\n",
	})
	var results [2]map[string]string
	for i, args := range [][]string{nil, {"--no-cache-filter=two"}} {
		out := t.TempDir()
		if _, err := env.Run(t.Context(), "docker-stagebuild", append([]string{"build", "--output=" + out, dir}, args...)...); err != nil {
			t.Fatal(err)
		}
		results[i] = listTree(t, out)
	}
	if results[0]["one"] != results[1]["one"] || results[0]["two"] == results[1]["two"] {
		t.Errorf("the results are %v", results)
	}
}
