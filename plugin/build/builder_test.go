package build

import (
	"context"
	"testing"

	"github.com/docker/buildx/builder"
	"github.com/docker/buildx/driver"
	"github.com/docker/buildx/util/platformutil"
	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/plugin/connect"
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
		{"load and an output", options{outputOptions: outputOptions{load: true}, Flags: result.Flags{Outputs: []string{"type=docker,context=lab"}}}, []string{"lab"}},
		{"a file", options{Flags: result.Flags{Outputs: []string{"type=docker,dest=image.tar", "type=docker,dest={{.Stage}}.tar"}}}, nil},
		{"a directory", options{Flags: result.Flags{Outputs: []string{"out"}}}, nil},
		{"a check", options{outputOptions: outputOptions{load: true}, runOptions: runOptions{call: "check"}}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.options.call == "" {
				test.options.call = "build"
			}
			got, err := loadContexts(&test.options)
			if err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// features is a driver that only has a list of features.
type features struct {
	driver.Driver
	list map[driver.Feature]bool
}

// Features implements driver.Driver.
func (f features) Features(context.Context) (map[driver.Feature]bool, error) { return f.list, nil }

func TestCheckPlatforms(t *testing.T) {
	for _, test := range []struct {
		name          string
		driver        string
		multiPlatform bool // whether the driver has the feature
		platforms     string
		refused       bool
	}{
		{"several platforms on an engine for one", "docker", false, "linux/amd64,linux/arm64", true},
		{"one platform", "docker", false, "linux/arm64", false},
		{"several platforms", "docker", true, "linux/amd64,linux/arm64", false},
		{"another driver", "remote", false, "linux/amd64,linux/arm64", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			requested, err := platformutil.Parse([]string{test.platforms})
			if err != nil {
				t.Fatal(err)
			}
			handle := &driver.DriverHandle{Driver: features{list: map[driver.Feature]bool{driver.MultiPlatform: test.multiPlatform}}}
			b := &connect.Builder{Name: "default", Driver: test.driver, Nodes: []builder.Node{{Driver: handle}, {}}}
			if err := checkPlatforms(t.Context(), b, requested); (err != nil) != test.refused {
				t.Error(err)
			}
		})
	}
}
