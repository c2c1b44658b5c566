package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestBuildingCommands runs the commands of the page on building, and compares
// how their output ends, which is where their results are.
func TestBuildingCommands(t *testing.T) {
	env, _ := productEnv(t)
	env.NeedMirror(t)
	files := map[string]string{}
	for _, name := range []string{"shared.conf", "api", "worker", "api.data", "simd.data"} {
		files[name] = name + "\n"
	}
	dir := writeContext(t, files)
	runDocument(t, env, "docs/building.md", dir)
	for _, name := range []string{"api-amd64", "api-arm64"} {
		if got, err := os.ReadFile(filepath.Join(dir, "out", name, "srv", "api")); err != nil || string(got) != "api\n" {
			t.Errorf("out/%s/srv/api is %q, %v", name, got, err)
		}
	}
	for _, tag := range []string{"api:1.2", "worker:1.2"} {
		res, err := env.Registry.Read(t.Context(), tag)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := strings.Join(res.Platforms(), " "); got != "linux/amd64 linux/arm64" {
			t.Errorf("%s is for %s", tag, got)
		}
	}
}

// documentFolder is where the documents' commands are run, in what they print.
const documentFolder = "/home/you/app"

// unstableCells is what differs in the summaries of two builds: digests, how many
// steps the cache had, sizes and times; in errors, how BuildKit calls a build
// context.
var unstableCells = regexp.MustCompile(`\b[0-9a-f]{12}\b|\(\d+ cached\)|\b[\d.]+[kM]?B\b|\b[\d.]+m?s$|\bref \w+::\w+`)

// stable returns what a command prints with all that differs between runs taken
// out, and columns as words.
func stable(text, dir string) []string {
	var lines []string
	for _, line := range trimLines(strings.ReplaceAll(text, dir, documentFolder)) {
		lines = append(lines, strings.Join(strings.Fields(unstableCells.ReplaceAllString(line, "")), " "))
	}
	return lines
}
