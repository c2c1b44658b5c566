package build

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/plugin/result"
)

func TestLoadContexts(t *testing.T) {
	for _, test := range []struct {
		name    string
		options options
		want    []string
	}{
		{"nothing", options{}, nil},
		{"load", options{outputOptions: outputOptions{load: true}}, []string{""}},
		{"an output", options{Flags: result.Flags{Outputs: []string{"type=docker"}}}, []string{""}},
		{"both are one", options{outputOptions: outputOptions{load: true}, Flags: result.Flags{Outputs: []string{"type=docker,context=lab"}}}, []string{"lab"}},
		{"a file", options{Flags: result.Flags{Outputs: []string{"type=docker,dest=image.tar", "type=docker,dest={{.Stage}}.tar"}}}, nil},
		{"a folder", options{Flags: result.Flags{Outputs: []string{"out"}}}, nil},
		{"a check", options{outputOptions: outputOptions{load: true}, runOptions: runOptions{call: "check"}}, nil},
	} {
		if test.options.call == "" {
			test.options.call = "build"
		}
		got, err := loadContexts(&test.options)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
