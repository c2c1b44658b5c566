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

// TestDocumentHasFields checks that the table in docs/graph.md has a row for each field of
// the JSON, in the order of the JSON.
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
		t.Errorf("the rows of docs/graph.md differ from the fields of the JSON (-fields +rows):\n%s", diff)
	}
}

// fieldsOf returns the paths of a struct's fields in the JSON, and of the fields of the
// structs in its lists, each type once. The path of a field with omitempty ends with a
// question mark.
func fieldsOf(of reflect.Type, path string, known map[reflect.Type]bool) []string {
	known[of] = true
	var fields []string
	for field := range of.Fields() {
		name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
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
