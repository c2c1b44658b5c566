package plan

import (
	"slices"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Availability is the plans of all stages of a file for some platforms. A stage can be
// built for a platform when it and all stages that it reaches have a selected variant
// there.
type Availability struct {
	platforms   []guard.Platform
	resolutions map[string]*resolution // by stage
}

// Available plans the file for each of its stages, for its default, and for the stages
// that are named. Names are the stages as the user typed them; case matters, because
// TARGETSTAGE keeps it. The error is a source.List of the diagnostics that the file has
// whichever stage is built.
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
			r = newPlanner(file, env, Request{Stage: name}).finish(platforms)
			for _, p := range r.plans {
				list = append(list, p.diagnostics...)
			}
		}
		a.resolutions[name] = r
	}
	return a, list.Err()
}

// usesTargetStage reports whether the plans of a file depend on the target stage: whether
// a condition, a reference or the value of another arg names TARGETSTAGE.
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

// Diagnostics tells why a stage cannot be built for the platform at an index of those
// given to [Available]. It returns nil when the stage can be built. "" is the file's
// default. A reference that is invalid on every platform does not count: building the
// stage reports it.
func (a *Availability) Diagnostics(stage string, platform int) source.List {
	return a.resolutions[stage].unavailable(stage, a.platforms[platform])
}

// Target returns the plan of a stage for the platform at an index. It has no Choice when
// the stage is not selected.
func (a *Availability) Target(stage string, platform int) *Target {
	target, _ := a.resolutions[stage].plan(a.platforms[platform]).target(stage)
	return target
}

// Set returns the plans for building a stage for some of the platforms. The error is that
// of [Resolve].
func (a *Availability) Set(stage string, platforms []guard.Platform) (*Set, error) {
	return a.resolutions[stage].set(stage, platforms, nil)
}

// IsAvailable reports whether a stage of the file, which may be a variant, is selected
// and can be built for the platform at an index, when the stage of its name is the
// target.
func (a *Availability) IsAvailable(s *syntax.Stage, platform int) bool {
	c := a.resolutions[s.Name].plan(a.platforms[platform]).Stages[s.Index]
	return c.Decision.Holds && len(missingVariants(c)) == 0
}

// unavailable returns the reasons why a stage cannot be built for a platform.
func (r *resolution) unavailable(stage string, platform guard.Platform) source.List {
	target, list := r.plan(platform).target(stage)
	return append(list, missingVariants(target.Choice)...)
}

// missingVariants returns the diagnostics of references to stages without a selected
// variant, in all stages that c reaches.
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
