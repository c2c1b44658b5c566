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

// resolve builds an example for linux/amd64, as far as it gets without a daemon.
func resolve(text string) (*plan.Set, error) {
	file, _ := syntax.Parse(source.NewFile("Dockerfile", []byte(text)))
	amd64 := platforms.MustParse("linux/amd64")
	return plan.Resolve(file, plan.Env{Build: amd64}, plan.Request{Platforms: []guard.Platform{amd64}})
}

// diagnosed returns the diagnostics of an example, and whether they are errors.
func diagnosed(text string) (found source.List, errors bool) {
	set, err := resolve(text)
	if err != nil {
		return source.Diagnostics(err), true
	}
	return set.Warnings, false
}

// TestDiagnosticExamples checks that a rule's bad example has its diagnostic and no
// other, and that BuildKit takes what becomes of the good one.
func TestDiagnosticExamples(t *testing.T) {
	for _, rule := range lint.Diagnostics() {
		found, _ := diagnosed(rule.Bad)
		if len(found) != 1 || found[0].Name != rule.Name {
			t.Errorf("the bad example of %s has %v", rule.Name, found)
		}
		set, err := resolve(rule.Good)
		if err != nil || len(set.Warnings) > 0 || len(set.Targets[0].Unreached) > 0 {
			t.Errorf("the good example of %s: %v, %+v", rule.Name, err, set)
			continue
		}
		tree, err := dockerfile.Parse(bytes.NewReader(plan.Lower(set.Targets[0].Plan)))
		if err == nil {
			_, _, err = instructions.Parse(tree.AST, linter.New(&linter.Config{}))
		}
		if err != nil {
			t.Errorf("BuildKit refuses the good example of %s: %v", rule.Name, err)
		}
	}
}

// TestEveryDiagnosticIsDocumented compares the table with the names in the code. The
// only string constants that the language packages export are those names.
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
