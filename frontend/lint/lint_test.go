package lint_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/lint"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

var update = flag.Bool("update", false, "rewrite the rules' pages in docs/rules")

// check returns what the rules find, as "Rule:line message", and the error.
func check(t *testing.T, dockerfile, options string) ([]string, error) {
	t.Helper()
	file, err := syntax.Parse(source.NewFile("Dockerfile", []byte(dockerfile)))
	if err != nil {
		t.Fatal(err)
	}
	targets := file.Platforms
	if targets == nil {
		targets = []guard.Platform{platforms.MustParse("linux/amd64")}
	}
	set, err := plan.ResolveAll(file, plan.Env{Build: platforms.MustParse("linux/amd64")}, targets)
	if err != nil {
		t.Fatal(err)
	}
	config, err := linter.ParseLintOptions(options)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	config.Warn = func(rule, _, _, message string, location []parser.Range) {
		found = append(found, fmt.Sprintf("%s:%d %s", rule, location[0].Start.Line, message))
	}
	return found, lint.Check(file, set, *config)
}

// TestExamples checks that a rule's bad example breaks the rule, and that the
// good one breaks none.
func TestExamples(t *testing.T) {
	if !slices.IsSortedFunc(lint.Rules(), func(a, b *lint.Rule) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the rules are not sorted by name")
	}
	for _, rule := range lint.Rules() {
		found, err := check(t, rule.Bad, "")
		if err != nil || len(found) == 0 || !strings.HasPrefix(found[0], rule.Name+":") {
			t.Errorf("%s finds %q (%v) in its bad example", rule.Name, found, err)
		}
		found, err = check(t, rule.Good, "")
		if err != nil || len(found) != 0 {
			t.Errorf("%s finds %q (%v) in its good example", rule.Name, found, err)
		}
	}
}

// TestFindings compares what is found in one file: texts, lines and platforms.
func TestFindings(t *testing.T) {
	const dockerfile = `# platforms=linux/amd64,linux/arm64
ARG DEBUG
FROM --for=linux/arm64 busybox AS tools
# check=skip=StageUnavailable
FROM --if=DEBUG busybox AS skipped
FROM --if=DEBUG busybox AS never
FROM --platform=$BUILDPLATFORM busybox AS base
COPY ["--from=x", "/a", "/"]
FROM --for=linux/arm64 --platform=linux/amd64 base AS app
COPY --from=base ["/", "/b"]
FROM --for=linux/arm64 base AS app
FROM base AS app
COPY --if='1 == 2' --from=base /a /. /b
IF platform("linux") && true
COPY --from=1 /x /
ENDIF
`
	want := []string{
		`ConstantCondition:13 The condition 1 == 2 depends on no build arg and no platform`,
		`CopyWholeStage:10 COPY takes all of stage "base", its base image included (for linux/arm64)`,
		`StagePlatformIgnored:9 --platform=linux/amd64 is ignored: "base" is a stage; write FROM base::linux/amd64 (for linux/arm64)`,
		`StageUnavailable:3 Stage "tools" cannot be built (for linux/amd64)`,
		`StageUnavailable:6 Stage "never" cannot be built`,
		`UnnamedStageReference:15 COPY --from=1 counts stages`,
		`UnreachableVariant:11 The variant on line 9 has the same guard, so that this one is never selected`,
	}
	found, err := check(t, strings.Replace(dockerfile, "--from=1 /x", "--from=3 /x", 1), "")
	want[5] = `UnnamedStageReference:15 COPY --from=3 counts stages`
	if diff := cmp.Diff(want, found); diff != "" || err != nil {
		t.Errorf("(-want +got):\n%s\n%v", diff, err)
	}
}

// TestOptions skips rules and makes findings errors, as BuildKit's own.
func TestOptions(t *testing.T) {
	const dockerfile = "FROM scratch\nCOPY --if=true a /\n"
	for options, want := range map[string]int{"skip=ConstantCondition": 0, "skip=all": 0, "skip=CopyWholeStage": 1} {
		if found, err := check(t, dockerfile, options); len(found) != want || err != nil {
			t.Errorf("%s finds %q, %v", options, found, err)
		}
	}
	_, err := check(t, dockerfile, "error=true")
	if err == nil || err.Error() != "lint violation found for rules: ConstantCondition" {
		t.Errorf("error=true returns %v", err)
	}
}

// TestPages compares the rules' pages with the rules.
func TestPages(t *testing.T) {
	dir := filepath.Join("..", "..", "docs", "rules")
	pages := map[string]string{"README.md": index()}
	for _, rule := range lint.Rules() {
		pages[rule.Name+".md"] = page(rule)
	}
	for name, text := range pages {
		path := filepath.Join(dir, name)
		if *update {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text, string(got)); diff != "" {
			t.Errorf("%s is not what the rule says (run with -update):\n%s", path, diff)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, ok := pages[f.Name()]; !ok {
			t.Errorf("%s is of no rule", f.Name())
		}
	}
}

func page(rule *lint.Rule) string {
	return fmt.Sprintf("# %s\n\n%s.\n\n%s\n\n## Bad\n\n```dockerfile\n%s```\n\n## Good\n\n```dockerfile\n%s```\n",
		rule.Name, rule.Description, rule.Doc, rule.Bad, rule.Good)
}

func index() string {
	var b strings.Builder
	b.WriteString(`# Check rules

Beside [BuildKit's own rules](https://docs.docker.com/reference/build-checks/), a
check of a staged file (` + "`docker buildx build --check`, `docker stagebuild build --check`" + `) has these.
They are skipped and made errors as BuildKit's are: ` + "`# check=skip=NAME` or `# check=error=true`" + `
at the top of the file, ` + "`# check=skip=NAME`" + ` above an instruction.

| rule | |
| --- | --- |
`)
	for _, rule := range lint.Rules() {
		fmt.Fprintf(&b, "| [%s](%s.md) | %s |\n", rule.Name, rule.Name, rule.Description)
	}
	return b.String()
}
