package selection

import (
	"errors"
	"slices"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Platforms are the platforms that a user asks for.
type Platforms struct {
	// Requested are the platforms given by name.
	Requested []guard.Platform
	// All adds the platforms that the file declares ("--platform all").
	All bool
}

// OrDefault returns the platforms to inspect a file for: p, or if p is empty, the
// platforms that the file declares, otherwise the builder's platform.
func (p Platforms) OrDefault(file *syntax.File, builder guard.Platform) Platforms {
	switch {
	case p.All || len(p.Requested) > 0:
		return p
	case len(file.Platforms) > 0:
		return Platforms{All: true}
	}
	return Platforms{Requested: []guard.Platform{builder}}
}

// List returns the platforms, each once.
func (p Platforms) List(file *syntax.File) ([]guard.Platform, error) {
	targets, err := p.targets(file)
	return platformsOf(targets), err
}

// OnlyDeclared reports whether p asks for all platforms that the file declares, and no
// other.
func (p Platforms) OnlyDeclared(file *syntax.File) bool {
	return p.All && !slices.ContainsFunc(p.Requested, func(requested guard.Platform) bool {
		return !slices.ContainsFunc(file.Platforms, func(declared guard.Platform) bool { return equal(requested, declared) })
	})
}

// target is a target platform.
type target struct {
	platform guard.Platform
	// requested is set if the user gave the platform by name: it is an error if a
	// requested stage cannot be built for it.
	requested bool
}

// targets returns the target platforms, each once.
func (p Platforms) targets(file *syntax.File) ([]target, error) {
	if p.All && len(file.Platforms) == 0 {
		return nil, errors.New(`platform "all" means the platforms that the file declares, and it declares none: add a comment "# platforms=linux/amd64,linux/arm64" at its top`)
	}
	var targets []target
	add := func(platform guard.Platform, requested bool) {
		if !slices.ContainsFunc(targets, func(t target) bool { return equal(t.platform, platform) }) {
			targets = append(targets, target{platform, requested})
		}
	}
	for _, platform := range p.Requested {
		add(platform, true)
	}
	if p.All {
		for _, platform := range file.Platforms {
			add(platform, false)
		}
	}
	return targets, nil
}

func equal(a, b guard.Platform) bool {
	return guard.FormatPlatform(a) == guard.FormatPlatform(b)
}

func platformsOf(targets []target) []guard.Platform {
	list := make([]guard.Platform, len(targets))
	for i, t := range targets {
		list[i] = t.platform
	}
	return list
}
