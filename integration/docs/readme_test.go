package docs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/integration/internal/document"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestReadmeFiles checks that the excerpts in the README are in the files that they name.
func TestReadmeFiles(t *testing.T) {
	blocks, _ := document.Read(t, "README.md")
	count := 0
	for _, b := range blocks {
		path, ok := b.Argument("excerpt")
		if !ok {
			continue
		}
		count++
		data, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(path)))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains("\n"+string(data), "\n"+b.Text) {
			t.Errorf("README.md:%d is not a part of %s", b.Line, path)
		}
	}
	if count == 0 {
		t.Error("the README shows no excerpt of a file")
	}
}

// TestReadmeCommands runs the commands of the README in order on the files that it shows,
// compares the output where the README shows it, and checks the pushed images.
func TestReadmeCommands(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedMirror(t)
	dir := testkit.WriteContext(t, map[string]string{"hello.txt": "hello\n"})
	(&document.Session{Env: env, Name: "README.md", Dir: dir}).Run(t)

	for tag, logLevel := range map[string]string{"plugin": "", "buildx": "", "release": "", "debug": "debug", "buildctl": "debug", "compose": "debug"} {
		res, err := env.Registry.Read(t.Context(), "app:"+tag)
		if err != nil {
			t.Error(err)
			continue
		}
		for platform, limit := range map[string]string{"linux/amd64": "", "linux/arm64": "256MiB"} {
			testkit.WantFile(t, res, platform, "hello.txt", "hello\n")
			testkit.WantEnv(t, res, platform, "GOMEMLIMIT", limit)
			testkit.WantEnv(t, res, platform, "LOG_LEVEL", logLevel)
		}
	}
	if got, err := os.ReadFile(filepath.Join(dir, "out", "hello.txt")); err != nil || string(got) != "hello\n" {
		t.Errorf("out/hello.txt is %q, %v", got, err)
	}
}

// TestReadmeFrontendImage checks the target that the README's command for the frontend
// image would build. PushFrontend builds it.
func TestReadmeFrontendImage(t *testing.T) {
	env, frontend := suite.Product(t)
	blocks, _ := document.Read(t, "README.md")
	i := slices.IndexFunc(blocks, func(b document.Block) bool { _, ok := b.Argument("bake-image"); return ok })
	if i < 0 {
		t.Fatal("the README does not show how to build the frontend image")
	}
	cmd := env.Command(t.Context(), "sh", "-c", document.WithRegistry(env, strings.TrimSpace(blocks[i].Text))+" --print")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	type target struct {
		Dockerfile, Target string
		Tags               []string
	}
	var plan struct{ Target map[string]target }
	if err := json.Unmarshal(out, &plan); err != nil {
		t.Fatal(err)
	}
	want := map[string]target{"image": {Dockerfile: "Dockerfile", Target: "image", Tags: []string{frontend}}}
	if diff := cmp.Diff(want, plan.Target); diff != "" {
		t.Errorf("bake would build (-want +got):\n%s", diff)
	}
}

// unstable matches output of the demo that differs between runs.
var unstable = regexp.MustCompile(`127\.0\.0\.1:\d+|sha256:[0-9a-f]{64}`)

// TestReadmeDemo runs the demo: its output contains the lines that the README shows, in
// that order. It also installs the plugin as the README describes.
func TestReadmeDemo(t *testing.T) {
	env := suite.Env(t)
	env.NeedMirror(t)
	blocks, _ := document.Read(t, "README.md")
	i := slices.IndexFunc(blocks, func(b document.Block) bool { _, ok := b.Argument("demo"); return ok })
	if i < 0 {
		t.Fatal("the README does not show the demo's output")
	}
	plugins := t.TempDir()
	testkit.RunInRepository(t, "make", "install", "PREFIX="+plugins)
	if out, err := env.Run(t.Context(), filepath.Join(plugins, "docker-stagebuild"), "version"); err != nil || !strings.HasPrefix(out.Stdout, "github.com/stagebuild/stagebuild ") {
		t.Errorf("the plugin that make install installed prints %q, %v", out.Stdout, err)
	}
	if recipe := testkit.RunInRepository(t, "make", "--dry-run", "demo"); !strings.Contains(recipe, "\ngo run ./integration/demo\n") {
		t.Fatalf("make demo does not run the demo:\n%s", recipe)
	}

	want := testkit.TrimLines(unstable.ReplaceAllString(blocks[i].Text, "X"))
	if env.Platform != "linux/amd64" {
		// The demo runs the service for this machine's platform.
		want = want[:slices.Index(want, "== The service of the linux/amd64 image, running")]
	}
	got := testkit.TrimLines(unstable.ReplaceAllString(testkit.RunInRepository(t, "go", "run", "./integration/demo"), "X"))
	rest := got
	for _, line := range want {
		at := slices.Index(rest, line)
		if at < 0 {
			t.Fatalf("the demo does not print %q where the README does; it prints\n%s", line, strings.Join(got, "\n"))
		}
		rest = rest[at+1:]
	}
}
