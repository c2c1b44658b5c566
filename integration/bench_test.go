package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// manyStages is how many results a benchmark builds at once.
const manyStages = 40

// BenchmarkManyStages builds stages that are in the build cache, and hands nothing
// over: with the plugin in one command, and with bake by BuildKit's own frontend
// and by this project's image.
func BenchmarkManyStages(b *testing.B) {
	_, frontend := productEnv(b)
	var text strings.Builder
	targets := map[string]any{}
	for i := range manyStages {
		name := fmt.Sprintf("app-%d", i)
		fmt.Fprintf(&text, "FROM busybox AS %s\nCOPY f%d /f\n", name, i%4)
		targets[name] = map[string]any{"target": name, "output": []string{"type=cacheonly"}}
	}
	bake := map[string]any{"target": targets, "group": map[string]any{"default": map[string]any{"targets": sortedKeys(targets)}}}
	dt, err := json.Marshal(bake)
	if err != nil {
		b.Fatal(err)
	}
	plain := map[string]string{"Dockerfile": text.String(), "docker-bake.json": string(dt)}
	staged := map[string]string{"Dockerfile": "# syntax=" + frontend + "\n" + text.String(), "docker-bake.json": string(dt)}
	for i := range 4 {
		plain[fmt.Sprintf("f%d", i)], staged[fmt.Sprintf("f%d", i)] = fmt.Sprint(i), fmt.Sprint(i)
	}
	for _, way := range []struct {
		name  string
		files map[string]string
		args  []string
	}{
		{"stagebuild", plain, []string{"docker-stagebuild", "build", "--stage=*", "--output=type=cacheonly", "."}},
		{"bake", plain, []string{"docker-buildx", "bake"}},
		{"bake-frontend-image", staged, []string{"docker-buildx", "bake"}},
	} {
		b.Run(way.name, func(b *testing.B) { benchCommand(b, way.files, way.args) })
	}
}

// BenchmarkOneStage builds one stage that is in the build cache.
func BenchmarkOneStage(b *testing.B) {
	files := map[string]string{"Dockerfile": "FROM busybox\nCOPY Dockerfile /\n"}
	for _, program := range []string{"docker-stagebuild", "docker-buildx"} {
		b.Run(strings.TrimPrefix(program, "docker-"), func(b *testing.B) {
			benchCommand(b, files, []string{program, "build", "--output=type=cacheonly", "."})
		})
	}
}

// benchCommand times a whole command, after one run that fills the build cache.
func benchCommand(b *testing.B, files map[string]string, args []string) {
	b.Helper()
	env, _ := productEnv(b)
	dir := b.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	run := func() {
		cmd := env.Command(b.Context(), args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	run()
	for b.Loop() {
		run()
	}
}

func sortedKeys(m map[string]any) []string {
	return slices.Sorted(maps.Keys(m))
}
