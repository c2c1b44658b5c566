package selection

import (
	"errors"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/matrix"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Result is a stage, and the platforms to build it for.
type Result struct {
	// Stage is the stage's name, or "" for the file's default stage. The case is the
	// user's unless a glob selected the stage.
	Stage string
	// Platforms are empty for the builder's platform.
	Platforms []guard.Platform
}

// Selection is the selected stages with their platforms.
type Selection struct {
	Results []Result
	// Platforms are the target platforms of all results.
	Platforms []guard.Platform
	// Impossible are the stage and platform pairs that are left out.
	Impossible []matrix.Impossible
	// Notes has a line for each of them.
	Notes []string

	available *plan.Availability
	// reasons has the diagnostic of each pair that is left out.
	reasons []string
}

// Set returns the plans of a result. The error is that of [plan.Resolve].
func (s *Selection) Set(r Result) (*plan.Set, error) {
	return s.available.Set(r.Stage, r.Platforms)
}

// Matrix returns the selection as a matrix.
func (s *Selection) Matrix(file *syntax.File) *matrix.Matrix {
	m := matrix.New(file, s.Platforms)
	m.Impossible = append(m.Impossible, s.Impossible...)
	for _, r := range s.Results {
		m.Add(file, r.Stage, r.Platforms)
	}
	return m
}

// Select returns the stages that the patterns select, each with those of the platforms
// that it can be built for. Without platforms it decides for env.Build, the builder's
// platform, and the results have no platforms.
//
// A stage that cannot be built for a platform is left out if a glob selected the stage
// or "all" the platform. If the user gave both by name it is an error, a source.List.
func Select(file *syntax.File, env plan.Env, patterns Patterns, platforms Platforms) (*Selection, error) {
	stages, err := patterns.choose(file)
	if err != nil {
		return nil, err
	}
	targets, err := platforms.targets(file)
	if err != nil {
		return nil, err
	}
	isBuilders := len(targets) == 0
	if isBuilders {
		targets = []target{{platform: env.Build, requested: true}}
	}
	s := &Selection{Platforms: platformsOf(targets)}
	var names []string
	for _, c := range stages {
		names = append(names, c.stage)
	}
	if s.available, err = plan.Available(file, env, s.Platforms, names...); s.available == nil {
		return nil, err
	}
	diagnostics := source.Diagnostics(err)
	for _, c := range stages {
		possible, missing := s.possible(c, targets)
		diagnostics = append(diagnostics, missing...)
		if len(possible) == 0 {
			continue
		}
		if err != nil { // the file is invalid: add the diagnostics of the stage
			_, invalid := s.available.Set(c.stage, possible)
			diagnostics = append(diagnostics, source.Diagnostics(invalid)...)
		}
		r := Result{Stage: c.stage}
		if !isBuilders {
			r.Platforms = possible
		}
		s.Results = append(s.Results, r)
	}
	if err := diagnostics.Err(); err != nil {
		return nil, err
	}
	if len(s.Results) == 0 {
		return nil, errors.New("none of the requested stages can be built:\n" + strings.Join(s.reasons, "\n"))
	}
	return s, nil
}

// possible returns the platforms that a stage can be built for. It leaves out the
// others, or returns diagnostics for them if the user gave the stage and the platform
// by name.
func (s *Selection) possible(c choice, targets []target) (possible []guard.Platform, missing source.List) {
	for i, t := range targets {
		unavailable := s.available.Diagnostics(c.stage, i)
		switch {
		case len(unavailable) == 0:
			possible = append(possible, t.platform)
		case c.named && t.requested:
			missing = append(missing, unavailable...)
		default:
			pair := matrix.NewImpossible(c.stage, t.platform, unavailable)
			s.Impossible = append(s.Impossible, pair)
			s.Notes = append(s.Notes, pair.String())
			pair.Reason = unavailable[0].Error()
			s.reasons = append(s.reasons, pair.String())
		}
	}
	return possible, missing
}

// SelectForCheck is [Select] for a check. A check without platforms is for the declared
// ones, and reports the stages that cannot be built for them. So the results have no
// platforms if the user asks for all declared platforms and no others.
func SelectForCheck(file *syntax.File, env plan.Env, patterns Patterns, platforms Platforms) (*Selection, error) {
	isDeclared := len(file.Platforms) > 0 && platforms.OnlyDeclared(file)
	if isDeclared && len(platforms.Requested) == 0 {
		return Stages(file, patterns)
	}
	s, err := Select(file, env, patterns, platforms)
	if err != nil || !isDeclared {
		return s, err
	}
	return Stages(file, patterns)
}

// Stages returns the stages that the patterns select, whatever platforms they can be
// built for.
func Stages(file *syntax.File, patterns Patterns) (*Selection, error) {
	stages, err := patterns.choose(file)
	s := &Selection{}
	for _, c := range stages {
		s.Results = append(s.Results, Result{Stage: c.stage})
	}
	return s, err
}
