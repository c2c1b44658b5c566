package guard_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/frontend/guard"
)

// signature matches `name(params)` in backquotes.
var signature = regexp.MustCompile("`([a-z]+\\([^`]*\\))`")

// TestFunctionReference compares the functions in docs/reference.md with the table of
// functions, parameters included.
func TestFunctionReference(t *testing.T) {
	data, err := os.ReadFile("../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(data), "\n### Functions\n")
	section, _, _ = strings.Cut(section, "\n#")
	var documented []string
	for row := range strings.Lines(section) {
		functions, _, ok := strings.Cut(row, " | ")
		if !ok || !strings.HasPrefix(row, "| `") {
			continue
		}
		for _, m := range signature.FindAllStringSubmatch(functions, -1) {
			documented = append(documented, m[1])
		}
	}
	slices.Sort(documented)
	var table []string
	for _, f := range guard.Functions() {
		table = append(table, f.String())
		if f.Doc == "" {
			t.Errorf("%s has no documentation", f)
		}
	}
	slices.Sort(table)
	if diff := cmp.Diff(table, documented); diff != "" {
		t.Errorf("functions (-table +docs/reference.md):\n%s", diff)
	}
}

// TestFunctionsAreSorted keeps the table in the order in which errors list it.
func TestFunctionsAreSorted(t *testing.T) {
	if !slices.IsSortedFunc(guard.Functions(), func(a, b guard.Function) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the table of functions is not sorted by name")
	}
}
