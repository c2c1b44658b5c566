package graph_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/frontend/graph"
)

// TestDocumentHasFields holds the table of the page on drawings to the JSON: a row for
// each field, in the order in which they are printed.
func TestDocumentHasFields(t *testing.T) {
	page, err := os.ReadFile("../../docs/graph.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## The fields of the JSON\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var rows []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .+ \\|$").FindAllStringSubmatch(section, -1) {
		rows = append(rows, m[1])
	}
	want := fieldsOf(reflect.TypeFor[graph.Explanation](), "", map[reflect.Type]bool{})
	for i, field := range want {
		want[i] = strings.TrimPrefix(field, "explanations[].")
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("the fields of the JSON, and the rows of docs/graph.md (-want +got):\n%s", diff)
	}
}

// fieldsOf returns the paths of the fields of a struct and, each type once, of those
// that it has lists of. What can be left out has a question mark behind it.
func fieldsOf(of reflect.Type, path string, known map[reflect.Type]bool) []string {
	known[of] = true
	var fields []string
	for field := range of.Fields() {
		name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
		mark := ""
		if option == "omitempty" {
			mark = "?"
		}
		fields = append(fields, path+name+mark)
		element := field.Type
		for element.Kind() == reflect.Slice || element.Kind() == reflect.Pointer {
			element = element.Elem()
		}
		if element.Kind() == reflect.Struct && !known[element] {
			fields = append(fields, fieldsOf(element, path+name+"[].", known)...)
		}
	}
	return fields
}
