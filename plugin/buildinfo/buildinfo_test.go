package buildinfo

import (
	"runtime/debug"
	"testing"
)

func TestDescribe(t *testing.T) {
	recorded := &debug.BuildInfo{
		Main: debug.Module{Version: "v1.2.3"},
		Deps: []*debug.Module{
			{Path: "github.com/moby/buildkit", Version: "v0.33.1"},
			{Path: "github.com/moby/buildkit/other", Version: "v9.9.9"},
		},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123abc"}},
	}
	dirty := &debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "vcs.modified", Value: "true"},
		{Key: "vcs.revision", Value: "0123abc"},
	}}
	replaced := &debug.BuildInfo{Deps: []*debug.Module{
		{Path: "github.com/moby/buildkit", Version: "v0.33.1", Replace: &debug.Module{Version: "v0.34.0"}},
	}}
	for _, test := range []struct {
		name                    string
		bi                      *debug.BuildInfo
		version, commit         string
		wantVersion, wantCommit string
		wantBuildKit            string
	}{
		{"recorded", recorded, "", "", "v1.2.3", "0123abc", "v0.33.1"},
		{"overridden", recorded, "v4.5.6", "fedcba", "v4.5.6", "fedcba", "v0.33.1"},
		{"dirty", dirty, "", "", "(devel)", "0123abc-dirty", "unknown"},
		{"replaced", replaced, "", "", "(devel)", "unknown", "v0.34.0"},
		{"nothing", &debug.BuildInfo{}, "", "", "(devel)", "unknown", "unknown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := describe(test.bi, test.version, test.commit)
			if got.Version != test.wantVersion || got.Commit != test.wantCommit || got.BuildKit != test.wantBuildKit {
				t.Errorf("describe() = %+v", got)
			}
		})
	}
}
