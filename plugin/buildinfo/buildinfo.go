package buildinfo

import (
	"cmp"
	"runtime"
	"runtime/debug"
)

// Overrides for builds outside of the module's repository, such as those of a Linux
// distribution:
//
//	go build -ldflags "-X github.com/stagebuild/stagebuild/plugin/buildinfo.version=v1.2.3 -X …commit=…"
var (
	version string
	commit  string //nolint:gochecknoglobals // only the linker sets it
)

// unknown is the value of a field that the toolchain did not record, as in tests.
const unknown = "unknown"

// Info describes a build of the program.
type Info struct {
	// Version is a module version ("v1.2.3", a pseudo-version) or "(devel)".
	Version string `json:"version"`
	// Commit is the full hash of the source's commit, followed by "-dirty" if files
	// were changed, or "unknown".
	Commit string `json:"commit"`
	// BuildKit is the version of the BuildKit library, such as "v0.1.2".
	BuildKit string `json:"buildkit"`
	// Go is the version of the toolchain, such as "go1.2.3".
	Go string `json:"go"`
	// Platform is the platform of the program, such as "linux/amd64".
	Platform string `json:"platform"`
}

// Read returns the description of the running program.
func Read() Info {
	bi, ok := debug.ReadBuildInfo()
	if !ok {
		bi = &debug.BuildInfo{}
	}
	return describe(bi, version, commit)
}

// describe merges the toolchain's record with the overrides, which take precedence.
func describe(bi *debug.BuildInfo, version, commit string) Info {
	info := Info{
		Version:  cmp.Or(version, bi.Main.Version, "(devel)"),
		Commit:   cmp.Or(commit, vcsCommit(bi.Settings), unknown),
		BuildKit: unknown,
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	for _, dep := range bi.Deps {
		if dep.Path != "github.com/moby/buildkit" {
			continue
		}
		if dep.Replace != nil {
			dep = dep.Replace
		}
		info.BuildKit = dep.Version
	}
	return info
}

// vcsCommit returns the commit in the toolchain's record, or "".
func vcsCommit(settings []debug.BuildSetting) string {
	var revision, dirty string
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	if revision == "" {
		return ""
	}
	return revision + dirty
}
