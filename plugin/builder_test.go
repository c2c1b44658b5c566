package plugin

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLoadContexts(t *testing.T) {
	for _, test := range []struct {
		name    string
		options buildOptions
		want    []string
	}{
		{"nothing", buildOptions{}, nil},
		{"load", buildOptions{load: true}, []string{""}},
		{"an output", buildOptions{outputs: []string{"type=docker"}}, []string{""}},
		{"both are one", buildOptions{load: true, outputs: []string{"type=docker,context=lab"}}, []string{"lab"}},
		{"a file", buildOptions{outputs: []string{"type=docker,dest=image.tar", "type=docker,dest={{.Stage}}.tar"}}, nil},
		{"a folder", buildOptions{outputs: []string{"out"}}, nil},
		{"a check", buildOptions{load: true, call: "check"}, nil},
	} {
		if test.options.call == "" {
			test.options.call = "build"
		}
		got, err := loadContexts(test.options)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
