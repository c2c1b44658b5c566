package plan

import (
	"slices"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Availability has the plans of every stage of a file for some platforms. A stage can be
// built for a platform if a variant is selected for it and for all stages that it
// reaches.
type Availability struct {
	platforms   []guard.Platform
	resolutions map[string]*resolution // by the name of the target stage
}

// Available plans the file with each of its stages, the default target and the given names
// as the target. Names are the stages as the user typed them; case matters, because
// TARGETSTAGE keeps it. The error is a source.List of the diagnostics that every build
// of the file has: those of its syntax and its guards.
func Available(file *syntax.File, env Env, platforms []guard.Platform, names ...string) (*Availability, error) {
	if file.HasUnterminatedText {
		return nil, file.Diagnostics.Err()
	}
	a := &Availability{platforms: platforms, resolutions: map[string]*resolution{}}
	dependsOnTarget := usesTargetStage(file)
	list := slices.Clone(file.Diagnostics)
	var r *resolution
	for _, name := range slices.Concat(file.StageNames(), []string{""}, names) {
		if a.resolutions[name] != nil {
			continue
		}
		if r == nil || dependsOnTarget {
			r = newPlanner(file, env, Request{Stage: name}).resolve(platforms)
			for _, p := range r.plans {
				list = append(list, p.diagnostics...)
			}
		}
		a.resolutions[name] = r
	}
	return a, list.Err()
}

// usesTargetStage reports whether the plans of a file depend on the target stage, because
// a condition, a reference or the default of an arg names TARGETSTAGE.
func usesTargetStage(file *syntax.File) bool {
	for _, in := range file.Instructions {
		if in.Guard.If != nil && slices.Contains(in.Guard.If.Names(), targetStage) {
			return true
		}
		if slices.ContainsFunc(in.References, func(r *syntax.Reference) bool { return strings.Contains(r.Text, targetStage) }) {
			return true
		}
		if slices.ContainsFunc(in.Declarations, func(d syntax.Declaration) bool { return strings.Contains(d.Value, targetStage) }) {
			return true
		}
	}
	return slices.ContainsFunc(file.Stages, func(s *syntax.Stage) bool {
		return strings.Contains(s.Base.Text+s.Platform, targetStage)
	})
}

// Diagnostics returns the reasons why a stage, or the default target if the name is "",
// cannot be built for a platform, which is an index into the platforms given to
// [Available]. Diagnostics returns nil if the stage can be built. It leaves out references
// that are invalid for another reason than a dropped stage; building the stage reports
// them.
func (a *Availability) Diagnostics(stage string, platform int) source.List {
	return a.resolutions[stage].whyUnavailable(stage, a.platforms[platform])
}

// Target returns the target for a stage and the platform at an index. It has no Choice if
// the stage is not selected.
func (a *Availability) Target(stage string, platform int) *Target {
	target, _ := a.resolutions[stage].plan(a.platforms[platform]).target(stage)
	return target
}

// Set returns the set for a stage and some of the platforms, with the error of [Resolve].
func (a *Availability) Set(stage string, platforms []guard.Platform) (*Set, error) {
	return a.resolutions[stage].set(stage, platforms, nil)
}

// IsAvailable reports whether a stage, which may be one of several variants, is selected
// and can be built for the platform at an index if its name is the target.
func (a *Availability) IsAvailable(s *syntax.Stage, platform int) bool {
	c := a.resolutions[s.Name].plan(a.platforms[platform]).Stages[s.Index]
	return c.Decision.Holds && len(missingVariants(c)) == 0
}

// whyUnavailable returns the diagnostics that keep a stage from being built for a
// platform: a stage that it reaches has no selected variant.
func (r *resolution) whyUnavailable(stage string, platform guard.Platform) source.List {
	target, list := r.plan(platform).target(stage)
	return append(list, missingVariants(target.Choice)...)
}

// missingVariants returns the diagnostics of references to dropped stages, in c and the
// stages that it reaches.
func missingVariants(c *Choice) source.List {
	var list source.List
	for c, e := range newWalk(isAny).From(c) {
		if e != nil {
			continue
		}
		for _, u := range c.unresolved {
			if u.Name == NoVariant || u.Name == DroppedStage {
				list = append(list, u.Diagnostic)
			}
		}
	}
	return list
}
