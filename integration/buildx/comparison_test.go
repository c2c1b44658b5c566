package buildx

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// programs are docker buildx and the plugin, which runs its frontend in-process. Both must
// build the same.
var programs = []string{"docker-buildx", "docker-stagebuild"}

// comparison is a build whose results must be the same with both programs.
type comparison struct {
	name string
	// args follow "build" and the common flags. {out} is the output directory, {registry}
	// the registry's address and {dir} the context.
	args []string
	// context is the last argument; the default is {dir}.
	context string
	files   map[string]string
	env     []string // variables, NAME=VALUE
	stdin   string
}

// check builds with both programs in turn and compares the results. The daemon runs equal
// steps only once, so that even random output is the same.
func (c comparison) check(t *testing.T, env *harness.Env) {
	t.Helper()
	dir := testkit.WriteContext(t, c.files)
	var first outcome
	for i, program := range programs {
		got := c.run(t, env, program, dir)
		if i == 0 {
			first = got
			continue
		}
		// A warning names the step that reads the file, and its definition. Both contain the
		// ID of the session.
		volatile := cmpopts.IgnoreMapEntries(func(key string, _ any) bool { return key == "vertex" || key == "definition" })
		// The daemon sends warnings in no particular order.
		unordered := cmpopts.SortSlices(func(a, b any) bool { return fmt.Sprint(a) < fmt.Sprint(b) })
		if diff := cmp.Diff(first, got, volatile, unordered); diff != "" {
			t.Errorf("(-%s +%s)\n%s", programs[0], program, diff)
		}
	}
	if len(first.Files) == 0 && len(first.Image) == 0 && first.Stdout == "" {
		t.Error("nothing was compared")
	}
}

// outcome is the result of one build.
type outcome struct {
	// Image holds the metadata file's entries about the exported image, and its warnings.
	Image map[string]any
	// Files describes the files exported to {out} by path: type, mode, and content hash or
	// link target.
	Files map[string]string
	// Stdout is the standard output, or its hash.
	Stdout string
	// Pushed lists the requests that pushed a manifest.
	Pushed []string
}

func (c comparison) run(t *testing.T, env *harness.Env, program, dir string) outcome {
	t.Helper()
	out := t.TempDir()
	metadataFile := filepath.Join(t.TempDir(), "metadata.json")
	place := strings.NewReplacer("{out}", out, "{registry}", env.Registry.Host, "{dir}", dir)
	args := []string{"build", "--provenance=false", "--metadata-file=" + metadataFile}
	for _, arg := range append(c.args, c.context) {
		args = append(args, place.Replace(arg))
	}
	if c.context == "" {
		args[len(args)-1] = dir
	}
	cmd := env.Command(t.Context(), program, args...)
	cmd.Dir = dir
	cmd.Env = append(append(cmd.Env, "SOURCE_DATE_EPOCH=1700000000"), c.env...)
	cmd.Stdin = strings.NewReader(c.stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	before := len(env.Registry.Requests())
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return outcome{
		Image: imageMetadata(t, metadataFile), Files: testkit.ListTree(t, out), Stdout: testkit.TextOrHash(stdout.Bytes()),
		Pushed: deletePushed(t, env, env.Registry.Requests()[before:]),
	}
}

// deletePushed returns the requests that pushed a manifest, and deletes these manifests so
// that the next build has to push them again.
func deletePushed(t *testing.T, env *harness.Env, requests []harness.Request) []string {
	t.Helper()
	var list []string
	for _, r := range requests {
		_, name, ok := strings.Cut(r.Path, "/manifests/")
		if !ok || r.Method != http.MethodPut {
			continue
		}
		list = append(list, r.String())
		if err := env.Registry.Delete(t.Context(), r.Repository(), name); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(list)
	return list
}

// imageMetadata returns the entries of a metadata file about the image, and its warnings.
// The others depend on the builder and the run.
func imageMetadata(t *testing.T, path string) map[string]any {
	t.Helper()
	image := map[string]any{}
	for name, value := range testkit.Metadata(t, path) {
		if strings.HasPrefix(name, "containerimage.") || name == "image.name" || name == "buildx.build.warnings" {
			image[name] = value
		}
	}
	return image
}
