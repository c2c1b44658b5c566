// Package selection chooses what a command is about: which stages of a file, and
// each of them for which platforms. It is pure, and decides with the plan code of
// the build itself.
//
// [Patterns] say which stages are meant, [Platforms] for what; [Select] turns them
// into [Result] values, one for each stage.
package selection

import (
	"errors"
	"slices"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/matrix"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Platforms are those that a command asks for.
type Platforms struct {
	// Named are the ones asked for by name.
	Named []guard.Platform
	// All asks for those that the file declares too.
	All bool
}

// Result is a stage, and the platforms that it is built for.
type Result struct {
	// Stage is the stage's name, as it was typed if no glob meant it, or "" for the
	// file's default.
	Stage string
	// Platforms are nil for the builder's own.
	Platforms []guard.Platform
}

// Selection is what is built.
type Selection struct {
	Results []Result
	// Platforms are what was asked for, by any name.
	Platforms []guard.Platform
	// Impossible is what was left out.
	Impossible []matrix.Impossible
	// Notes say so, and why: a line each.
	Notes []string

	available *plan.Availability
}

// Set returns what becomes of the file when one of the results is built. The error is
// that of [plan.Resolve].
func (s *Selection) Set(r Result) (*plan.Set, error) {
	return s.available.Set(r.Stage, r.Platforms)
}

// Select returns the results that are asked for. A stage that cannot be built for
// a platform is left out with a note when a glob means the stage or "all" the
// platform. When both were named it is an error, a source.List. env.Build is what
// an empty list of platforms stands for.
func Select(file *syntax.File, env plan.Env, patterns Patterns, wanted Platforms) (*Selection, error) {
	stages, err := patterns.choose(file)
	if err != nil {
		return nil, err
	}
	targets, err := wanted.of(file)
	if err != nil {
		return nil, err
	}
	asked := targets
	if len(asked) == 0 {
		asked = []target{{platform: env.Build, named: true}}
	}
	s := &Selection{Platforms: platformsOf(asked)}
	var names []string
	for _, c := range stages {
		names = append(names, c.stage)
	}
	if s.available, err = plan.Available(file, env, s.Platforms, names...); s.available == nil {
		return nil, err
	}
	faults := source.Diagnostics(err)
	for _, c := range stages {
		var possible []guard.Platform
		for k, t := range asked {
			obstacles := s.available.Diagnostics(c.stage, k)
			switch {
			case len(obstacles) == 0:
				possible = append(possible, t.platform)
			case c.named && t.named:
				faults = append(faults, obstacles...)
			default:
				i := matrix.NewImpossible(c.stage, t.platform, obstacles)
				s.Impossible = append(s.Impossible, i)
				s.Notes = append(s.Notes, i.String())
			}
		}
		if len(possible) == 0 {
			continue
		}
		if err != nil { // What is wrong with the stage itself is said in the same go.
			_, own := s.available.Set(c.stage, possible)
			faults = append(faults, source.Diagnostics(own)...)
		}
		r := Result{Stage: c.stage}
		if len(targets) > 0 {
			r.Platforms = possible
		}
		s.Results = append(s.Results, r)
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	if len(s.Results) == 0 {
		return nil, matrix.Nothing(s.Notes)
	}
	return s, nil
}

// Stages returns the stages that are asked for, whatever they can be built for.
func Stages(file *syntax.File, patterns Patterns) (*Selection, error) {
	stages, err := patterns.choose(file)
	s := &Selection{}
	for _, c := range stages {
		s.Results = append(s.Results, Result{Stage: c.stage})
	}
	return s, err
}

// List returns the platforms that are asked for, each once.
func (p Platforms) List(file *syntax.File) ([]guard.Platform, error) {
	targets, err := p.of(file)
	return platformsOf(targets), err
}

// Declared reports whether those that a file declares are asked for, and no others.
func (p Platforms) Declared(file *syntax.File) bool {
	return p.All && !slices.ContainsFunc(p.Named, func(named guard.Platform) bool {
		return !slices.ContainsFunc(file.Platforms, func(declared guard.Platform) bool { return same(named, declared) })
	})
}

// target is a platform that is asked for.
type target struct {
	platform guard.Platform
	// named is set when the platform was asked for by its name.
	named bool
}

// of returns the platforms that are asked for, each once.
func (p Platforms) of(file *syntax.File) ([]target, error) {
	if p.All && len(file.Platforms) == 0 {
		return nil, errors.New(`platform "all" means those that the file declares, and it declares none: add a comment "# platforms=linux/amd64,linux/arm64" to its head`)
	}
	var targets []target
	add := func(platform guard.Platform, named bool) {
		if !slices.ContainsFunc(targets, func(t target) bool { return same(t.platform, platform) }) {
			targets = append(targets, target{platform, named})
		}
	}
	for _, platform := range p.Named {
		add(platform, true)
	}
	if p.All {
		for _, platform := range file.Platforms {
			add(platform, false)
		}
	}
	return targets, nil
}

func same(a, b guard.Platform) bool {
	return guard.FormatPlatform(a) == guard.FormatPlatform(b)
}

func platformsOf(targets []target) []guard.Platform {
	list := make([]guard.Platform, len(targets))
	for i, t := range targets {
		list[i] = t.platform
	}
	return list
}
