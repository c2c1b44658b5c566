package lint_test

import (
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/stagebuild/stagebuild/frontend/lint"
)

var update = flag.Bool("update", false, "rewrite the rules' pages in docs, and the table of the reference")

// TestPages compares the rules' pages with the rules.
func TestPages(t *testing.T) {
	pages := map[string]string{
		"docs/rules/README.md":       checkIndex + index(lint.Rules()),
		"docs/diagnostics/README.md": diagnosticIndex + index(lint.Diagnostics()),
	}
	for _, rule := range slices.Concat(lint.Rules(), lint.Diagnostics()) {
		pages[path.Join(rule.Dir(), rule.Name+".md")] = page(t, rule)
	}
	for name, text := range pages {
		compare(t, name, text)
	}
	for _, dir := range []string{"docs/rules", "docs/diagnostics"} {
		files, err := os.ReadDir(inRepository(dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if name := path.Join(dir, f.Name()); pages[name] == "" {
				t.Errorf("%s is of no rule", name)
			}
		}
	}
}

// TestReference compares the reference's table of errors with the rules.
func TestReference(t *testing.T) {
	const name, head = "docs/reference.md", "| name | written | error |\n| --- | --- | --- |\n"
	data, err := os.ReadFile(inRepository(name))
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), head)
	_, after, ended := strings.Cut(rest, "|\n\n")
	if !ok || !ended {
		t.Fatalf("%s has no table of errors", name)
	}
	compare(t, name, before+head+table()+"\n"+after)
}

// compare compares a document of the repository with what it should be.
func compare(t *testing.T, name, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(inRepository(name), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(inRepository(name))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not what the rules say (go test ./frontend/lint -update):\n%s", name, diff)
	}
}

func inRepository(name string) string {
	return filepath.Join("..", "..", filepath.FromSlash(name))
}

const checkIndex = `# Check rules

Beside [BuildKit's own rules](https://docs.docker.com/reference/build-checks/), a
check of a staged file (` + "`docker buildx build --check`, `docker stagebuild check`" + `) has these.
They are skipped and made errors as BuildKit's are: ` + "`# check=skip=NAME` or `# check=error=true`" + `
at the top of the file, ` + "`# check=skip=NAME`" + ` above an instruction. Each page has a file that breaks the
rule, what is said of it, and the file mended.

`

const diagnosticIndex = `# Diagnostics

What can be wrong with a staged Dockerfile, by name. Each page has a file that shows it, what is said
of that file when it is built for linux/amd64, and the file mended. The messages are in the
[table of the reference](../reference.md#errors). What is wrong with any Dockerfile, BuildKit says, and what
only looks wrong, [check rules](../rules/README.md) do.

`

// index returns the table of an index, sorted by name.
func index(rules []*lint.Rule) string {
	slices.SortFunc(rules, func(a, b *lint.Rule) int { return strings.Compare(a.Name, b.Name) })
	var b strings.Builder
	b.WriteString("| name | rule |\n| --- | --- |\n")
	for _, rule := range rules {
		fmt.Fprintf(&b, "| [%s](%s.md) | %s |\n", rule.Name, rule.Name, rule.Description)
	}
	return b.String()
}

func page(t *testing.T, rule *lint.Rule) string {
	return fmt.Sprintf("# %s\n\n%s.\n\n%s\n\n## Bad\n\n```dockerfile\n%s```\n\n```text\n%s```\n\n## Good\n\n```dockerfile\n%s```\n",
		rule.Name, rule.Description, rule.Doc, rule.Bad, said(t, rule), rule.Good)
}

// said returns what the plugin prints of a bad example.
func said(t *testing.T, rule *lint.Rule) string {
	if rule.Dir() == "docs/rules" {
		found, _ := check(t, rule.Bad, "")
		return strings.Join(found, "\n") + "\n"
	}
	found, errors := diagnosed(rule.Bad)
	d := found[0]
	if !errors {
		return linter.LintFormatShort(d.Name, d.Message+"; "+d.Hint, d.Span.Pos().Line) + "\n"
	}
	return fmt.Sprintf("%s\nERROR: %v\n", d.Snippet(), d)
}

// table returns the rows of the reference's table of errors: the line that each
// diagnostic is about, and what it says.
func table() string {
	var b strings.Builder
	for _, rule := range lint.Diagnostics() {
		found, errors := diagnosed(rule.Bad)
		if !errors {
			continue // a warning
		}
		d := found[0]
		written, _, _ := strings.Cut(d.Snippet(), "\n")
		_, said, _ := strings.Cut(d.Error(), ": ")
		fmt.Fprintf(&b, "| [%s](diagnostics/%s.md) | %s | %s |\n", rule.Name, rule.Name, code(strings.TrimSpace(written)), code(said))
	}
	return b.String()
}

// code returns a cell of code, with a span for each line.
func code(text string) string {
	text = strings.ReplaceAll(text, "|", `\|`)
	return "`" + strings.ReplaceAll(text, "\n", "`<br>`") + "`"
}
