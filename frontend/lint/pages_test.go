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

// TestPages compares the pages in docs with the rules.
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
				t.Errorf("%s belongs to no rule", name)
			}
		}
	}
}

// TestReference compares the table of errors in the reference with the rules.
func TestReference(t *testing.T) {
	const name, head = "docs/reference.md", "| name | line | error |\n| --- | --- | --- |\n"
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

// compare compares a document in the repository with its generated text.
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
		t.Errorf("%s differs from the rules; run go test ./frontend/lint -update (-want +got):\n%s", name, diff)
	}
}

func inRepository(name string) string {
	return filepath.Join("..", "..", filepath.FromSlash(name))
}

const checkIndex = `# Check rules

A check of a staged Dockerfile (` + "`docker buildx build --check` or `docker stagebuild check`" + `) applies
these rules in addition to [BuildKit's own](https://docs.docker.com/reference/build-checks/). As with BuildKit's rules,
` + "`# check=skip=NAME`" + ` at the top of the file or above an instruction skips a rule, and ` + "`# check=error=true`" + ` at the
top turns warnings into errors. Each page has a Dockerfile that violates the rule, the warning, and the corrected
Dockerfile.

`

const diagnosticIndex = `# Diagnostics

The errors and warnings about staged Dockerfiles, by name. Each page has a Dockerfile that causes the diagnostic, the
message of a build for linux/amd64, and the corrected Dockerfile. All messages are in the
[table of the reference](../reference.md#errors). BuildKit reports the errors that any Dockerfile can have, and
[check rules](../rules/README.md) report code that is valid but probably a mistake.

`

// index returns a table of rules, sorted by name.
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
		rule.Name, rule.Description, rule.Doc, rule.Bad, output(t, rule), rule.Good)
}

// output returns the output of the plugin for a rule's bad example.
func output(t *testing.T, rule *lint.Rule) string {
	if rule.Dir() == "docs/rules" {
		found, _ := check(t, rule.Bad, "")
		return strings.Join(found, "\n") + "\n"
	}
	found, areErrors := diagnose(rule.Bad)
	d := found[0]
	if !areErrors {
		return linter.LintFormatShort(d.Name, d.Summary()+"; "+d.Hint, d.Span.Pos().Line) + "\n"
	}
	return fmt.Sprintf("%s\nERROR: %v\n", d.Snippet(), d)
}

// table returns the rows of the table of errors in the reference: the name, the first line
// and the text of each error.
func table() string {
	var b strings.Builder
	for _, rule := range lint.Diagnostics() {
		found, areErrors := diagnose(rule.Bad)
		if !areErrors {
			continue // a warning
		}
		d := found[0]
		written, _, _ := strings.Cut(d.Snippet(), "\n")
		_, text, _ := strings.Cut(d.Error(), ": ")
		fmt.Fprintf(&b, "| [%s](diagnostics/%s.md) | %s | %s |\n", rule.Name, rule.Name, code(strings.TrimSpace(written)), code(text))
	}
	return b.String()
}

// code returns a table cell with a code span for each line of the text.
func code(text string) string {
	text = strings.ReplaceAll(text, "|", `\|`)
	return "`" + strings.ReplaceAll(text, "\n", "`<br>`") + "`"
}
