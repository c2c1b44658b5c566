package integration

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/frontend/lint"
	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// block is a code block of a Markdown document.
type block struct {
	line       int    // 1-based line of the opening fence
	lang, text string // text has no fences
	// directives are the HTML comments right above the block, which tell the tests how to
	// use it.
	directives []directive
}

// directive is an HTML comment "name: argument".
type directive struct{ name, argument string }

// argument returns the argument of the block's directive with the given name.
func (b block) argument(name string) (string, bool) {
	for _, d := range b.directives {
		if d.name == name {
			return d.argument, true
		}
	}
	return "", false
}

// readDocument returns the code blocks and the lines of a document in the repository.
func readDocument(t *testing.T, name string) ([]block, []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	var above []directive
	lines := strings.Split(string(data), "\n")
	for i := 0; i < len(lines); i++ {
		if comment, ok := strings.CutPrefix(lines[i], "<!-- "); ok {
			name, argument, _ := strings.Cut(strings.TrimSuffix(comment, " -->"), ": ")
			above = append(above, directive{name, argument})
			continue
		}
		if lang, ok := strings.CutPrefix(lines[i], "```"); ok {
			b := block{line: i + 1, lang: lang, directives: above}
			for i++; i < len(lines) && lines[i] != "```"; i++ {
				b.text += lines[i] + "\n"
			}
			blocks = append(blocks, b)
		}
		above = nil
	}
	return blocks, lines
}

// parseExample parses the argument of a build, render or warning directive: a platform,
// then build args and files of the context as file=NAME, each of which contains its own
// name.
func parseExample(argument string) (platform string, args, files []string) {
	fields := strings.Fields(argument)
	for _, field := range fields[1:] {
		if name, ok := strings.CutPrefix(field, "file="); ok {
			files = append(files, name)
		} else {
			args = append(args, "--build-arg="+field)
		}
	}
	return fields[0], args, files
}

// exampleContext writes the context of an example.
func exampleContext(t *testing.T, dockerfile string, files []string) string {
	t.Helper()
	context := map[string]string{"Dockerfile": dockerfile}
	for _, name := range files {
		context[name] = name
	}
	return writeContext(t, context)
}

// TestReferenceExamples builds every complete Dockerfile of the reference as its
// directives say, and compares the lowered files and the warnings shown below them.
func TestReferenceExamples(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedMirror(t)
	blocks, _ := readDocument(t, "docs/reference.md")
	var last block // the last complete Dockerfile
	built := 0
	for _, b := range blocks {
		if argument, ok := b.argument("render"); ok {
			checkRender(t, env, b, argument, last.text)
			continue
		}
		if argument, ok := b.argument("warning"); ok {
			checkWarning(t, env, b, argument, last.text)
			continue
		}
		if b.lang != "dockerfile" || !strings.HasPrefix(b.text, "# syntax=") {
			continue
		}
		last = b
		for _, d := range b.directives {
			if d.name != "build" {
				continue
			}
			built++
			if _, err := buildExample(t, env, d.argument, b.text); err != nil {
				t.Errorf("reference.md:%d, %s: %v", b.line, d.argument, err)
			}
		}
		if len(b.directives) == 0 {
			t.Errorf("reference.md:%d: the Dockerfile has no build directive", b.line)
		}
	}
	if built == 0 {
		t.Error("the reference has no example to build")
	}
}

// buildExample builds a Dockerfile as the argument of a directive says.
func buildExample(t *testing.T, env *harness.Env, argument, dockerfile string) (harness.Output, error) {
	t.Helper()
	platform, args, files := parseExample(argument)
	args = append([]string{"build", "--progress=plain", "--output=type=cacheonly", "--platform=" + platform}, args...)
	return env.Run(t.Context(), "docker-stagebuild", append(args, exampleContext(t, dockerfile, files))...)
}

// checkRender compares a block with the output of render.
func checkRender(t *testing.T, env *harness.Env, b block, argument, dockerfile string) {
	t.Helper()
	platform, args, _ := parseExample(argument)
	args = append([]string{"render", "--platform=" + platform}, args...)
	out, err := env.Run(t.Context(), "docker-stagebuild", append(args, exampleContext(t, dockerfile, nil))...)
	if err != nil {
		t.Fatalf("reference.md:%d: %v", b.line, err)
	}
	if diff := cmp.Diff(b.text, out.Stdout); diff != "" {
		t.Errorf("reference.md:%d: render prints (-document +got):\n%s", b.line, diff)
	}
}

// checkWarning builds a Dockerfile and expects the warning in a block.
func checkWarning(t *testing.T, env *harness.Env, b block, argument, dockerfile string) {
	t.Helper()
	out, err := buildExample(t, env, argument, dockerfile)
	if err != nil {
		t.Fatalf("reference.md:%d: %v", b.line, err)
	}
	if want := "\n - " + strings.TrimSpace(b.text) + "\n"; !strings.Contains(out.Stderr, want) {
		t.Errorf("reference.md:%d: the build does not warn so:\n%s", b.line, out.Stderr)
	}
}

// TestReferenceDiagnostics builds the examples of each diagnostic's page: the bad one
// fails or warns with the message of the page, and the good one is built.
func TestReferenceDiagnostics(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedMirror(t)
	const example = "linux/amd64 file=a file=b file=c"
	for _, rule := range lint.Diagnostics() {
		t.Run(rule.Name, func(t *testing.T) {
			blocks, _ := readDocument(t, path.Join(rule.Dir(), rule.Name+".md"))
			bad, said, good := blocks[0], blocks[1], blocks[2]
			if _, message, ok := strings.Cut(said.text, "ERROR: "); ok {
				out, err := buildExample(t, env, example, bad.text)
				if got, _ := parseError(out); err == nil || got != strings.TrimSpace(message) {
					t.Errorf("the bad example: %v\n%s\nwant\n%s", err, got, message)
				}
			} else {
				checkWarning(t, env, said, example, bad.text)
			}
			if _, err := buildExample(t, env, example, good.text); err != nil {
				t.Errorf("the good example: %v", err)
			}
		})
	}
}
