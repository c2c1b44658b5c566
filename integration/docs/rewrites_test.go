package docs

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/integration/internal/document"
	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// rewrite is a pair in docs/plain-dockerfiles.md: one or several plain Dockerfiles, and
// the staged one that replaces them.
type rewrite struct {
	before []document.Block
	after  document.Block
}

// parseRewrites returns the pairs in a document.
func parseRewrites(blocks []document.Block) []rewrite {
	var list []rewrite
	var before []document.Block
	for _, b := range blocks {
		if _, ok := b.Argument("before"); ok {
			before = append(before, b)
		}
		if _, ok := b.Argument("after"); ok {
			list = append(list, rewrite{before, b})
			before = nil
		}
	}
	return list
}

// TestDocsRewrites builds both sides of each pair, the plain Dockerfiles with BuildKit's
// own frontend. Files and configuration of the images are equal, and so are the layers
// where the document promises it. A file that the directive names as "without" is missing
// afterwards, with its layer, which is the last one.
func TestDocsRewrites(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedMirror(t)
	blocks, _ := document.Read(t, "docs/plain-dockerfiles.md")
	list := parseRewrites(blocks)
	if len(list) == 0 {
		t.Fatal("the document has no pairs")
	}
	for i, r := range list {
		kind, without, _ := strings.Cut(argumentOf(t, r.after, "after"), " without=")
		before, after := r.build(t, env, "rewrites/"+strconv.Itoa(i))
		for _, old := range before {
			img, err := after.Image(old.Platform)
			if err != nil {
				t.Errorf("plain-dockerfiles.md:%d: %v", r.after.Line, err)
				continue
			}
			if diff := cmp.Diff(old.Config.Config, img.Config.Config); diff != "" {
				t.Errorf("plain-dockerfiles.md:%d: the configuration for %s (-before +after):\n%s", r.after.Line, old.Platform, diff)
			}
			files := testkit.FileContents(t, old)
			if _, ok := files[without]; without != "" && !ok {
				t.Errorf("plain-dockerfiles.md:%d: the image for %s had no /%s before", r.after.Line, old.Platform, without)
			}
			delete(files, without)
			if diff := cmp.Diff(files, testkit.FileContents(t, img)); diff != "" {
				t.Errorf("plain-dockerfiles.md:%d: the files for %s (-before +after):\n%s", r.after.Line, old.Platform, diff)
			}
			layers := old.Layers
			if without != "" {
				layers = layers[:len(layers)-1]
			}
			if diff := cmp.Diff(layers, img.Layers); kind == "layers" && diff != "" {
				t.Errorf("plain-dockerfiles.md:%d: the layers for %s (-before +after):\n%s", r.after.Line, old.Platform, diff)
			}
		}
	}
}

// argumentOf returns the argument of the block's directive.
func argumentOf(t *testing.T, b document.Block, name string) string {
	t.Helper()
	argument, ok := b.Argument(name)
	if !ok {
		t.Fatalf("plain-dockerfiles.md:%d: no comment %s", b.Line, name)
	}
	return argument
}

// build builds a pair in one context, the staged Dockerfile for all platforms of the plain
// ones and with their build args.
func (r rewrite) build(t *testing.T, env *harness.Env, repo string) (before []harness.Image, after *harness.Result) {
	t.Helper()
	var platforms, args, files []string
	for _, b := range r.before {
		var platform string
		platform, args, files = parseExample(argumentOf(t, b, "before"))
		platforms = append(platforms, platform)
	}
	if len(platforms) == 0 {
		t.Fatalf("plain-dockerfiles.md:%d: the pair has no plain Dockerfile", r.after.Line)
	}
	dir := exampleContext(t, r.after.Text, files)
	push := func(command, tag, platform, dockerfile string) *harness.Result {
		t.Helper()
		testkit.WriteFile(t, filepath.Join(dir, "Dockerfile"), dockerfile)
		flags := append([]string{"build", "--provenance=false", "--push", "--tag=" + env.Registry.Ref(repo+":"+tag), "--platform=" + platform}, args...)
		if err := testkit.Run(t, env, append(append([]string{command}, flags...), dir)); err != nil {
			t.Fatalf("plain-dockerfiles.md:%d: %v", r.after.Line, err)
		}
		res, err := env.Registry.Read(t.Context(), repo+":"+tag)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	for i, b := range r.before {
		before = append(before, push("docker-buildx", "before"+strconv.Itoa(i), platforms[i], b.Text).Images...)
	}
	return before, push("docker-stagebuild", "after", strings.Join(platforms, ","), r.after.Text)
}
