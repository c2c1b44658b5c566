package integration

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stagebuild/stagebuild/integration/harness"
)

// programs are the two whose builds have to be alike: the one that everybody
// knows, and ours with the frontend in-process.
var programs = []string{"docker-buildx", "docker-stagebuild"}

// alike is a build that comes out the same with both programs.
type alike struct {
	name string
	// args follow "build" and the flags that all builds have. {out} is a
	// folder to write to, {registry} the registry's address, {dir} the context.
	args []string
	// context is the last argument, {dir} if empty.
	context string
	files   map[string]string
	env     []string // variables, NAME=VALUE
	stdin   string
}

// check builds with both programs, one after the other, and compares. Steps that
// are alike for the daemon run once: what they draw at random is the same then.
func (a alike) check(t *testing.T, env *harness.Env) {
	t.Helper()
	dir := writeContext(t, a.files)
	var first outcome
	for i, program := range programs {
		got := a.run(t, env, program, dir)
		if i == 0 {
			first = got
			continue
		}
		// The step that a warning is about is the reading of the file, in its session.
		volatile := cmpopts.IgnoreMapEntries(func(key string, _ any) bool { return key == "vertex" })
		// The daemon passes warnings on as they come, in no order.
		unordered := cmpopts.SortSlices(func(a, b any) bool { return fmt.Sprint(a) < fmt.Sprint(b) })
		if diff := cmp.Diff(first, got, volatile, unordered); diff != "" {
			t.Errorf("(-%s +%s)\n%s", programs[0], program, diff)
		}
	}
	if len(first.Files) == 0 && len(first.Image) == 0 && first.Stdout == "" {
		t.Error("nothing was compared")
	}
}

// outcome is what one build leaves behind.
type outcome struct {
	// Image is what the metadata file says of the exported image, and warns of.
	Image map[string]any
	// Files holds what was exported to {out}, by path: type, mode, and the hash
	// of the content or where a link leads to.
	Files map[string]string
	// Stdout is what the program printed for programs, or its hash.
	Stdout string
	// Pushed are the requests that gave an image its name in the registry.
	Pushed []string
}

func (a alike) run(t *testing.T, env *harness.Env, program, dir string) outcome {
	t.Helper()
	out := t.TempDir()
	metadataFile := filepath.Join(t.TempDir(), "metadata.json")
	place := strings.NewReplacer("{out}", out, "{registry}", env.Registry.Host, "{dir}", dir)
	args := []string{"build", "--provenance=false", "--metadata-file=" + metadataFile}
	for _, arg := range append(a.args, a.context) {
		args = append(args, place.Replace(arg))
	}
	if a.context == "" {
		args[len(args)-1] = dir
	}
	cmd := env.Command(t.Context(), program, args...)
	cmd.Dir = dir
	cmd.Env = append(append(cmd.Env, "SOURCE_DATE_EPOCH=1700000000"), a.env...)
	cmd.Stdin = strings.NewReader(a.stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	before := len(env.Registry.Requests())
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return outcome{
		Image: imageMetadata(t, metadataFile), Files: listTree(t, out), Stdout: brief(stdout.Bytes()),
		Pushed: takeBack(t, env, env.Registry.Requests()[before:]),
	}
}

// takeBack returns which of the requests gave a manifest to the registry, and
// removes what they gave, so that the next build has to give it again.
func takeBack(t *testing.T, env *harness.Env, requests []harness.Request) []string {
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

// imageMetadata reads what a metadata file says of the image, and its warnings. The
// rest is about the builder and the run.
func imageMetadata(t *testing.T, path string) map[string]any {
	t.Helper()
	image := map[string]any{}
	for name, value := range metadata(t, path) {
		if strings.HasPrefix(name, "containerimage.") || name == "image.name" || name == "buildx.build.warnings" {
			image[name] = value
		}
	}
	return image
}

// listTree describes every file below a folder.
func listTree(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		files[name], err = describe(path, info)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// describe says what there is at a path. Times are left to what is compared as
// an archive: an output's own is that of the run.
func describe(path string, info fs.FileInfo) (string, error) {
	text := info.Mode().String()
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		return text + " to " + target, err
	case info.Mode().IsRegular():
		data, err := os.ReadFile(path)
		return text + " " + brief(data), err
	}
	return text, nil
}

// brief is a short text itself, and the hash of a long one.
func brief(data []byte) string {
	if len(data) <= 200 {
		return string(data)
	}
	return fmt.Sprintf("%x", sha256.Sum256(data))
}
