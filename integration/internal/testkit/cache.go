package testkit

import (
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

// BuildRandom builds randomFile and returns the random value and whether the step was
// cached. Each name is a separate build.
func BuildRandom(t *testing.T, env *harness.Env, host, name string, args ...string) (id string, cached bool) {
	t.Helper()
	file := strings.NewReplacer("{name}", name, "{platform}", env.Platform).Replace(randomFile)
	dir, out := WriteContext(t, map[string]string{"Dockerfile": file}), t.TempDir()
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
