package integration

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// writeContext writes a build context and returns its directory. The keys of files are
// slash-separated paths.
func writeContext(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tarOf returns a tar archive of files.
func tarOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// stagebuild runs the plugin's build command with reproducible results.
func stagebuild(t *testing.T, env *harness.Env, args ...string) (harness.Output, error) {
	t.Helper()
	args = append([]string{"build", "--provenance=false", "--build-arg=SOURCE_DATE_EPOCH=1"}, args...)
	return env.Run(t.Context(), "docker-stagebuild", args...)
}

// vertices returns the vertices in a build's rawjson progress, by name.
func vertices(t *testing.T, progress string) map[string][]*client.Vertex {
	t.Helper()
	byDigest := map[string]*client.Vertex{}
	for line := range strings.Lines(progress) {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		var status client.SolveStatus
		if err := json.Unmarshal([]byte(line), &status); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		for _, v := range status.Vertexes {
			byDigest[v.Digest.String()] = v
		}
	}
	byName := map[string][]*client.Vertex{}
	for _, v := range byDigest {
		byName[v.Name] = append(byName[v.Name], v)
	}
	return byName
}

// metadata reads a metadata file.
func metadata(t *testing.T, path string) map[string]any {
	t.Helper()
	dt, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(dt, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// wantFailure checks that a command ended with exit status 1.
func wantFailure(t *testing.T, err error) {
	t.Helper()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Errorf("exit status 1 expected: %v", err)
	}
}

// readImage reads the image of one platform from the registry.
func readImage(t *testing.T, env *harness.Env, repo, platform string) harness.Image {
	t.Helper()
	res, err := env.Registry.Read(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	img, err := res.Image(platform)
	if err != nil {
		t.Fatal(err)
	}
	return img
}
