package build

import (
	"github.com/stagebuild/stagebuild/plugin/result"

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
		{"an output", buildOptions{Flags: result.Flags{Outputs: []string{"type=docker"}}}, []string{""}},
		{"both are one", buildOptions{load: true, Flags: result.Flags{Outputs: []string{"type=docker,context=lab"}}}, []string{"lab"}},
		{"a file", buildOptions{Flags: result.Flags{Outputs: []string{"type=docker,dest=image.tar", "type=docker,dest={{.Stage}}.tar"}}}, nil},
		{"a folder", buildOptions{Flags: result.Flags{Outputs: []string{"out"}}}, nil},
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
