package buildx

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

// manyStages is the number of results that a benchmark builds at once.
const manyStages = 40

// BenchmarkManyStages builds cached stages without an export: with the plugin in one
// command, and with bake, which uses BuildKit's own frontend or this project's image.
func BenchmarkManyStages(b *testing.B) {
	_, frontend := suite.Product(b)
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
	for _, bench := range []struct {
		name  string
		files map[string]string
		args  []string
	}{
		{"stagebuild", plain, []string{"docker-stagebuild", "build", "--stage=*", "--output=type=cacheonly", "."}},
		{"bake", plain, []string{"docker-buildx", "bake"}},
		{"bake-frontend-image", staged, []string{"docker-buildx", "bake"}},
	} {
		b.Run(bench.name, func(b *testing.B) { benchCommand(b, bench.files, bench.args) })
	}
}

// BenchmarkOneStage builds one cached stage.
func BenchmarkOneStage(b *testing.B) {
	files := map[string]string{"Dockerfile": "FROM busybox\nCOPY Dockerfile /\n"}
	for _, program := range []string{"docker-stagebuild", "docker-buildx"} {
		b.Run(strings.TrimPrefix(program, "docker-"), func(b *testing.B) {
			benchCommand(b, files, []string{program, "build", "--output=type=cacheonly", "."})
		})
	}
}

// BenchmarkOfflineCommands runs the commands that need no builder on a file of a hundred
// stages and four platforms, beside bake --print for as many targets.
func BenchmarkOfflineCommands(b *testing.B) {
	files := map[string]string{"Dockerfile": services(14)}
	targets := map[string]any{}
	for i := range 100 {
		targets[fmt.Sprint("t", i)] = map[string]any{"target": fmt.Sprint("stage-", i), "platforms": []string{"linux/amd64", "linux/arm64"}}
	}
	dt, err := json.Marshal(map[string]any{"target": targets, "group": map[string]any{"default": map[string]any{"targets": sortedKeys(targets)}}})
	if err != nil {
		b.Fatal(err)
	}
	files["docker-bake.json"] = string(dt)
	for _, args := range []string{
		"docker-buildx bake --print",
		"docker-stagebuild ls", "docker-stagebuild explain", "docker-stagebuild explain *", "docker-stagebuild matrix", "docker-stagebuild render",
		"docker-stagebuild check", "docker-stagebuild graph --format tree", "docker-stagebuild graph --format svg",
		"docker-stagebuild graph --format html",
	} {
		b.Run(strings.TrimPrefix(args, "docker-"), func(b *testing.B) { benchCommand(b, files, strings.Fields(args)) })
	}
}

// services returns a Dockerfile of n services with seven stages each, and a stage that
// contains them all.
func services(n int) string {
	var b strings.Builder
	b.WriteString(`# platforms=linux/amd64,linux/arm64,linux/arm/v7,windows/amd64
ARG DEBUG=0
FROM --platform=$BUILDPLATFORM golang AS toolchain
FROM --for=linux debian AS base
FROM --for=windows mcr.microsoft.com/windows/nanoserver AS base
`)
	for i := range n {
		b.WriteString(strings.ReplaceAll(`
# The modules of SERVICE.
FROM toolchain AS SERVICE-deps
WORKDIR /src
COPY SERVICE/go.mod SERVICE/go.sum ./
RUN --mount=type=cache,target=/root/go/pkg/mod go mod download

FROM SERVICE-deps AS SERVICE-build
ARG TARGETOS TARGETARCH
COPY SERVICE .
RUN --if='DEBUG == "1"' go build -gcflags=all=-N -o /out/SERVICE .
RUN --if='DEBUG != "1"' go build -o /out/SERVICE .

FROM SERVICE-deps AS SERVICE-test
COPY SERVICE .
RUN go test ./...

FROM SERVICE-deps AS SERVICE-lint
COPY SERVICE .
RUN go vet ./...

FROM --for=linux/amd64,linux/arm64 --if='DEBUG == "1"' base AS SERVICE
RUN apt-get install -y gdb
COPY --from=SERVICE-build /out/SERVICE /usr/bin/SERVICE

FROM --for=linux --needs=SERVICE-test,SERVICE-lint base AS SERVICE
COPY --from=SERVICE-build /out/SERVICE /usr/bin/SERVICE

FROM --for=windows --needs=SERVICE-test base AS SERVICE
COPY --from=SERVICE-build /out/SERVICE /SERVICE.exe
`, "SERVICE", fmt.Sprint("service", i)))
	}
	b.WriteString("\nFROM base AS everything\n")
	for i := range n {
		fmt.Fprintf(&b, "COPY --from=service%[1]d /usr/bin/service%[1]d /usr/bin/\n", i)
	}
	return b.String()
}

// benchCommand times a command, after one run that fills the build cache.
func benchCommand(b *testing.B, files map[string]string, args []string) {
	b.Helper()
	env, _ := suite.Product(b)
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
