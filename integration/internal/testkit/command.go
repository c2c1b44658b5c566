package testkit

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// Run runs a program in the environment.
func Run(t *testing.T, env *harness.Env, args []string) error {
	t.Helper()
	_, err := env.Run(t.Context(), args[0], args[1:]...)
	return err
}

// TrimLines returns the lines of a text without trailing space.
func TrimLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimRight(line, " \r\n"))
	}
	return lines
}

// RunInRepository runs a program in the root directory of the repository with the environment
// of this process, and returns its output.
func RunInRepository(t *testing.T, name string, args ...string) string {
	t.Helper()
	root, err := toolchain.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Solve builds a context with BuildKit's own frontend and pushes it as "repository:tag".
func Solve(t *testing.T, env *harness.Env, dir, repo, platforms string) error {
	t.Helper()
	_, err := env.Buildctl(t.Context(), "build", "--frontend", "dockerfile.v0", "--progress", "plain",
		"--local", "context="+dir, "--local", "dockerfile="+dir, "--opt", "platform="+platforms,
		"--output", "type=image,push=true,name="+env.Registry.Ref(repo))
	return err
}

// Build runs the plugin's build command with reproducible results.
func Build(t *testing.T, env *harness.Env, args ...string) (harness.Output, error) {
	t.Helper()
	args = append([]string{"build", "--provenance=false", "--build-arg=SOURCE_DATE_EPOCH=1"}, args...)
	return env.Run(t.Context(), "docker-stagebuild", args...)
}

// Vertices returns the vertices in a build's rawjson progress, by name.
func Vertices(t *testing.T, progress string) map[string][]*client.Vertex {
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

// Metadata reads a metadata file.
func Metadata(t *testing.T, path string) map[string]any {
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

// WantFailure checks that a command ended with exit status 1.
func WantFailure(t *testing.T, err error) {
	t.Helper()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Errorf("exit status 1 expected: %v", err)
	}
}

// ParseError splits the output of a failed build into the error and the marked lines.
func ParseError(out harness.Output) (message string, marked []string) {
	_, message, _ = strings.Cut(out.Stderr, "failed to solve: ")
	message = strings.TrimSpace(message)
	for line := range strings.Lines(out.Stderr) {
		if strings.Contains(line, " | >>> ") {
			marked = append(marked, strings.TrimRight(line, "\r\n"))
		}
	}
	return message, marked
}
