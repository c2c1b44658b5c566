package lint_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	dockerfile "github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/lint"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// resolve plans an example for linux/amd64.
func resolve(text string) (*plan.Set, error) {
	file, _ := syntax.Parse(source.NewFile("Dockerfile", []byte(text)))
	amd64 := platforms.MustParse("linux/amd64")
	return plan.Resolve(file, plan.Env{Build: amd64}, plan.Request{Platforms: []guard.Platform{amd64}})
}

// diagnose returns the diagnostics of an example, and whether they are errors.
func diagnose(text string) (found source.List, areErrors bool) {
	set, err := resolve(text)
	if err != nil {
		return source.Diagnostics(err), true
	}
	return set.Warnings, false
}

// TestDiagnosticExamples checks that the bad example of a rule has only the rule's
// diagnostic, and that BuildKit parses the lowered good example.
func TestDiagnosticExamples(t *testing.T) {
	for _, rule := range lint.Diagnostics() {
		t.Run(rule.Name, func(t *testing.T) {
			found, _ := diagnose(rule.Bad)
			if len(found) != 1 || found[0].Name != rule.Name {
				t.Errorf("the bad example has %v", found)
			}
			set, err := resolve(rule.Good)
			if err != nil || len(set.Warnings) > 0 || len(set.Targets[0].Unreached) > 0 {
				t.Fatalf("the good example: %v, %+v", err, set)
			}
			tree, err := dockerfile.Parse(bytes.NewReader(plan.Lower(set.Targets[0].Plan)))
			if err == nil {
				_, _, err = instructions.Parse(tree.AST, linter.New(&linter.Config{}))
			}
			if err != nil {
				t.Errorf("BuildKit refuses the good example: %v", err)
			}
		})
	}
}

// TestEveryDiagnosticIsDocumented compares the rules with the names of diagnostics in the
// code, which are the only exported string constants of the language packages.
func TestEveryDiagnosticIsDocumented(t *testing.T) {
	var want, got []string
	for _, pkg := range []string{"source", "guard", "syntax", "plan"} {
		want = append(want, exportedStrings(t, filepath.Join("..", pkg))...)
	}
	for _, rule := range lint.Diagnostics() {
		got = append(got, rule.Name)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("diagnostics (-code +table):\n%s", diff)
	}
}

// exportedStrings returns the values of a package's exported string constants.
func exportedStrings(t *testing.T, dir string) []string {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no package in %s: %v", dir, err)
	}
	var values []string
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, value := range spec.Values {
				literal, ok := value.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING || !spec.Names[i].IsExported() {
					continue
				}
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, text)
			}
			return true
		})
	}
	return values
}
