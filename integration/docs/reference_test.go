package docs

import (
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/frontend/lint"
	"github.com/stagebuild/stagebuild/integration/internal/document"
	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

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
	return testkit.WriteContext(t, context)
}

// TestReferenceExamples builds every complete Dockerfile of the reference as its
// directives define, and compares the lowered files and the warnings shown below them.
func TestReferenceExamples(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedMirror(t)
	blocks, _ := document.Read(t, "docs/reference.md")
	var last document.Block // the last complete Dockerfile
	built := 0
	for _, b := range blocks {
		if argument, ok := b.Argument("render"); ok {
			checkRender(t, env, b, argument, last.Text)
			continue
		}
		if argument, ok := b.Argument("warning"); ok {
			checkWarning(t, env, b, argument, last.Text)
			continue
		}
		if b.Lang != "dockerfile" || !strings.HasPrefix(b.Text, "# syntax=") {
			continue
		}
		last = b
		for _, d := range b.Directives {
			if d.Name != "build" {
				continue
			}
			built++
			if _, err := buildExample(t, env, d.Argument, b.Text); err != nil {
				t.Errorf("reference.md:%d, %s: %v", b.Line, d.Argument, err)
			}
		}
		if len(b.Directives) == 0 {
			t.Errorf("reference.md:%d: the Dockerfile has no build directive", b.Line)
		}
	}
	if built == 0 {
		t.Error("the reference has no example to build")
	}
}

// buildExample builds a Dockerfile with the platform, args and files of a directive.
func buildExample(t *testing.T, env *harness.Env, argument, dockerfile string) (harness.Output, error) {
	t.Helper()
	platform, args, files := parseExample(argument)
	args = append([]string{"build", "--progress=plain", "--output=type=cacheonly", "--platform=" + platform}, args...)
	return env.Run(t.Context(), "docker-stagebuild", append(args, exampleContext(t, dockerfile, files))...)
}

// checkRender compares a block with the output of render.
func checkRender(t *testing.T, env *harness.Env, b document.Block, argument, dockerfile string) {
	t.Helper()
	platform, args, _ := parseExample(argument)
	args = append([]string{"render", "--platform=" + platform}, args...)
	out, err := env.Run(t.Context(), "docker-stagebuild", append(args, exampleContext(t, dockerfile, nil))...)
	if err != nil {
		t.Fatalf("reference.md:%d: %v", b.Line, err)
	}
	if diff := cmp.Diff(b.Text, out.Stdout); diff != "" {
		t.Errorf("reference.md:%d: render prints (-document +got):\n%s", b.Line, diff)
	}
}

// checkWarning builds a Dockerfile and expects the warning in a block.
func checkWarning(t *testing.T, env *harness.Env, b document.Block, argument, dockerfile string) {
	t.Helper()
	out, err := buildExample(t, env, argument, dockerfile)
	if err != nil {
		t.Fatalf("reference.md:%d: %v", b.Line, err)
	}
	if want := "\n - " + strings.TrimSpace(b.Text) + "\n"; !strings.Contains(out.Stderr, want) {
		t.Errorf("reference.md:%d: the build does not warn so:\n%s", b.Line, out.Stderr)
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
			blocks, _ := document.Read(t, path.Join(rule.Dir(), rule.Name+".md"))
			bad, report, good := blocks[0], blocks[1], blocks[2]
			if _, message, ok := strings.Cut(report.Text, "ERROR: "); ok {
				out, err := buildExample(t, env, example, bad.Text)
				if got, _ := testkit.ParseError(out); err == nil || got != strings.TrimSpace(message) {
					t.Errorf("the bad example: %v\n%s\nwant\n%s", err, got, message)
				}
			} else {
				checkWarning(t, env, report, example, bad.Text)
			}
			if _, err := buildExample(t, env, example, good.Text); err != nil {
				t.Errorf("the good example: %v", err)
			}
		})
	}
}
