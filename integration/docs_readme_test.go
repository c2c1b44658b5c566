package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// documentRegistry is the registry in the commands of the documents.
const documentRegistry = "registry.example.com"

// TestReadmeFiles checks that the excerpts in the README are in the files that they name.
func TestReadmeFiles(t *testing.T) {
	blocks, _ := readDocument(t, "README.md")
	count := 0
	for _, b := range blocks {
		path, ok := b.argument("excerpt")
		if !ok {
			continue
		}
		count++
		data, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(path)))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains("\n"+string(data), "\n"+b.text) {
			t.Errorf("README.md:%d is not a part of %s", b.line, path)
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
	dir := writeContext(t, map[string]string{"hello.txt": "hello\n"})
	(&documentRun{env: env, name: "README.md", dir: dir}).run(t)

	for tag, logLevel := range map[string]string{"plugin": "", "buildx": "", "release": "", "debug": "debug", "buildctl": "debug", "compose": "debug"} {
		res, err := env.Registry.Read(t.Context(), "app:"+tag)
		if err != nil {
			t.Error(err)
			continue
		}
		for platform, limit := range map[string]string{"linux/amd64": "", "linux/arm64": "256MiB"} {
			wantFile(t, res, platform, "hello.txt", "hello\n")
			wantEnv(t, res, platform, "GOMEMLIMIT", limit)
			wantEnv(t, res, platform, "LOG_LEVEL", logLevel)
		}
	}
	if got, err := os.ReadFile(filepath.Join(dir, "out", "hello.txt")); err != nil || string(got) != "hello\n" {
		t.Errorf("out/hello.txt is %q, %v", got, err)
	}
}

// documentRun follows the directives above a document's code blocks: it writes, edits and
// removes files and runs commands.
type documentRun struct {
	env *harness.Env
	// name is the path of the document, dir the working directory.
	name, dir string
	// other handles the document's own directives.
	other map[string]func(block)
	// replace lists pairs of a text in the document and its replacement, in addition to
	// the registry.
	replace []string
}

func (r *documentRun) run(t *testing.T) {
	t.Helper()
	blocks, _ := readDocument(t, r.name)
	for _, b := range blocks {
		text := strings.NewReplacer(r.replace...).Replace(withRegistry(r.env, b.text))
		for _, d := range b.directives {
			switch d.name {
			case "write":
				writeFile(t, filepath.Join(r.dir, d.argument), text)
			case "edit":
				editFile(t, r.dir, d.argument)
			case "remove":
				if err := os.Remove(filepath.Join(r.dir, d.argument)); err != nil {
					t.Fatal(err)
				}
			case "run":
				for _, c := range parseTranscript(text) {
					c.check(t, r.env, r.dir, fmt.Sprintf("%s:%d", r.name, b.line), d.argument == "end")
				}
			default:
				if handle := r.other[d.name]; handle != nil {
					handle(b)
				}
			}
		}
	}
}

// withRegistry replaces the registry of the documents with the environment's.
func withRegistry(env *harness.Env, text string) string {
	return strings.ReplaceAll(text, documentRegistry, env.Registry.Host)
}

// editFile replaces text in a file: "FILE: OLD: NEW".
func editFile(t *testing.T, dir, argument string) {
	t.Helper()
	parts := strings.Split(argument, ": ")
	if len(parts) != 3 {
		t.Fatalf("edit: %q is not FILE: OLD: NEW", argument)
	}
	path := filepath.Join(dir, parts[0])
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(data), parts[1]) != 1 {
		t.Fatalf("edit: %s does not have %q once", parts[0], parts[1])
	}
	writeFile(t, path, strings.Replace(string(data), parts[1], parts[2], 1))
}

// command is a command in a console block, with the output that the block shows.
type command struct {
	text   string
	output string // "" if the document shows none
}

// parseTranscript splits a console block into commands.
func parseTranscript(text string) []command {
	var list []command
	continued := false
	for line := range strings.Lines(text) {
		switch prompt, ok := strings.CutPrefix(line, "$ "); {
		case ok:
			list = append(list, command{text: prompt})
		case continued:
			list[len(list)-1].text += line
		default:
			list[len(list)-1].output += line
			continue
		}
		continued = strings.HasSuffix(line, "\\\n")
	}
	return list
}

// check runs the command. Without shown output it only has to succeed. For a build the
// document may show only the end of the output, after the progress.
func (c command) check(t *testing.T, env *harness.Env, dir, place string, endOnly bool) {
	t.Helper()
	cmd := env.Command(t.Context(), "sh", "-c", c.text)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if c.output == "" {
		if err != nil {
			t.Errorf("%s: %s%v\n%s", place, c.text, err, out)
		}
		return
	}
	want, got := trimLines(c.output), trimLines(string(out))
	if endOnly {
		want, got = stableLines(c.output, dir), stableLines(string(out), dir)
		got = got[max(0, len(got)-len(want)):]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %sprints (-document +got):\n%s\n%s", place, c.text, diff, out)
	}
}

// trimLines returns the lines of a text without trailing space.
func trimLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimRight(line, " \r\n"))
	}
	return lines
}

// TestReadmeFrontendImage checks the target that the README's command for the frontend
// image would build. PushFrontend builds it.
func TestReadmeFrontendImage(t *testing.T) {
	env, frontend := suite.Product(t)
	blocks, _ := readDocument(t, "README.md")
	i := slices.IndexFunc(blocks, func(b block) bool { _, ok := b.argument("bake-image"); return ok })
	if i < 0 {
		t.Fatal("the README does not show how to build the frontend image")
	}
	cmd := env.Command(t.Context(), "sh", "-c", withRegistry(env, strings.TrimSpace(blocks[i].text))+" --print")
	cmd.Dir = ".."
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
	blocks, _ := readDocument(t, "README.md")
	i := slices.IndexFunc(blocks, func(b block) bool { _, ok := b.argument("demo"); return ok })
	if i < 0 {
		t.Fatal("the README does not show the demo's output")
	}
	plugins := t.TempDir()
	inRepository(t, "make", "install", "PREFIX="+plugins)
	if out, err := env.Run(t.Context(), filepath.Join(plugins, "docker-stagebuild"), "version"); err != nil || !strings.HasPrefix(out.Stdout, "github.com/stagebuild/stagebuild ") {
		t.Errorf("the plugin that make install installed prints %q, %v", out.Stdout, err)
	}
	if recipe := inRepository(t, "make", "--dry-run", "demo"); !strings.Contains(recipe, "\ngo run ./integration/demo\n") {
		t.Fatalf("make demo does not run the demo:\n%s", recipe)
	}

	want := trimLines(unstable.ReplaceAllString(blocks[i].text, "X"))
	if env.Platform != "linux/amd64" {
		// The demo runs the service for this machine's platform.
		want = want[:slices.Index(want, "== The service of the linux/amd64 image, running")]
	}
	got := trimLines(unstable.ReplaceAllString(inRepository(t, "go", "run", "./integration/demo"), "X"))
	rest := got
	for _, line := range want {
		at := slices.Index(rest, line)
		if at < 0 {
			t.Fatalf("the demo does not print %q where the README does; it prints\n%s", line, strings.Join(got, "\n"))
		}
		rest = rest[at+1:]
	}
}

// inRepository runs a program in the root directory of the repository with the environment
// of this process, and returns its output.
func inRepository(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
