package plan

import (
	"strings"

	"github.com/containerd/platforms"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Env is the part of a build's environment that plans depend on. It is the same for
// all target platforms and stages of a request.
type Env struct {
	// Build is the build platform: the one that the builder runs on.
	Build guard.Platform
	// Args are the build args given from outside. They are only read.
	Args map[string]string
	// Contexts are the named contexts that were given, by their names in lower
	// case: "base", or "base::linux/arm64" for one platform. A named context
	// replaces the stage or image of its name.
	Contexts map[string]bool
}

// hasContext reports whether a named context replaces a name on a platform
// (NamedContext in BuildKit's dockerui/config.go).
func (e Env) hasContext(name string, platform guard.Platform) bool {
	if len(e.Contexts) == 0 || name == "" {
		return false
	}
	name = strings.ToLower(name)
	return e.Contexts[name] || e.Contexts[name+"::"+guard.FormatPlatform(platform)]
}

// targetStage is the automatic arg whose value is the name of the target stage.
const targetStage = "TARGETSTAGE"

// automatic returns the args that need no declaration (defaultArgs in BuildKit's
// dockerfile2llb/platform.go). A build arg of the same name overrides one.
func (e Env) automatic(target guard.Platform, stage string) map[string]guard.Arg {
	if stage == "" {
		stage = "default"
	}
	values := map[string]string{
		"BUILDPLATFORM":   platforms.Format(e.Build),
		"BUILDOS":         e.Build.OS,
		"BUILDOSVERSION":  e.Build.OSVersion,
		"BUILDARCH":       e.Build.Architecture,
		"BUILDVARIANT":    e.Build.Variant,
		"TARGETPLATFORM":  platforms.FormatAll(target),
		"TARGETOS":        target.OS,
		"TARGETOSVERSION": target.OSVersion,
		"TARGETARCH":      target.Architecture,
		"TARGETVARIANT":   target.Variant,
		targetStage:       stage,
	}
	args := make(map[string]guard.Arg, len(values))
	for name, value := range values {
		if given, ok := e.Args[name]; ok {
			value = given
		}
		args[name] = guard.Arg{Value: value}
	}
	return args
}

// Globals returns the values of the global ARGs and of the automatic args, for one
// platform and the default target.
func Globals(file *syntax.File, env Env, platform guard.Platform) guard.Scope {
	return newPlanner(file, env, Request{}).draft(platform).plan.globals
}
