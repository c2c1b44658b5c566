package plan

import (
	"strings"

	"github.com/containerd/platforms"

	"github.com/stagebuild/stagebuild/frontend/guard"
)

// Request is a stage to build, and the platforms to build it for.
type Request struct {
	// Stage is the target stage's name, or "" for the file's default.
	Stage string
	// Platforms are the target platforms.
	Platforms []guard.Platform
	// Triggers are the ONBUILD triggers of the base images that were fetched so far.
	Triggers Triggers
}

// Env is the part of a build's environment that plans depend on. It is the same for
// all target platforms and stages of a request.
type Env struct {
	// Build is the build platform: the one that the builder runs on.
	Build guard.Platform
	// Args are the values of --build-arg, by name. Planning does not change the map.
	Args map[string]string
	// Contexts has the names of the named contexts, in lower case: "base", or
	// "base::linux/arm64" for one platform. A named context replaces the stage or
	// image of its name.
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

// Base is an image that a stage is FROM.
type Base struct {
	// Image is the image reference in the lowered file.
	Image    string
	Platform guard.Platform
}

// Key identifies the base in [Triggers].
func (b Base) Key() string {
	return b.Image + " " + platforms.FormatAll(b.Platform)
}

// Triggers are the ONBUILD triggers of base images, by [Base.Key]. An image without
// triggers has an empty entry once it is fetched; an image without an entry is unknown.
type Triggers map[string][]string
