package plan

import (
	"slices"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Availability says which stages of a file can be built for which platforms: a
// stage can when it and all that it reaches have a selected variant there.
type Availability struct {
	obstacles map[string][]source.List // by stage, then by platform
	members   map[string][]*resolver   // likewise
}

// Available finds out which stages there are, with one set of args. env.Target and
// env.Stage are not looked at. Names are those of stages as they are asked for: in
// another case, TARGETSTAGE is another. The error is a source.List of what is wrong
// with the file whichever stage is built, its Diagnostics included.
func Available(file *syntax.File, env Env, targets []guard.Platform, names ...string) (*Availability, error) {
	a := &Availability{obstacles: map[string][]source.List{}, members: map[string][]*resolver{}}
	names = slices.Concat(file.StageNames(), []string{""}, names)
	if file.Torn {
		return nil, file.Diagnostics.Err()
	}
	var f *family
	asksStage := asksForStage(file)
	faults := slices.Clone(file.Diagnostics)
	for _, name := range names {
		if a.obstacles[name] != nil {
			continue
		}
		// Only a file that looks at its target differs between them.
		if f == nil || asksStage {
			env.Stage = name
			f = newFamily(file, env)
			for _, platform := range targets {
				f.member(platform).upTo(len(file.Stages))
			}
			for _, r := range f.order {
				faults = append(faults, r.diagnostics...)
			}
		}
		for _, platform := range targets {
			r := f.member(platform)
			a.obstacles[name] = append(a.obstacles[name], r.obstacles(name))
			a.members[name] = append(a.members[name], r)
		}
	}
	return a, faults.Err()
}

// targetStage is the automatic arg that has the name of the stage that is built.
const targetStage = "TARGETSTAGE"

// asksForStage reports whether what becomes of a file depends on the stage that is
// built: in a condition, a reference or the value of another arg.
func asksForStage(file *syntax.File) bool {
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

// Obstacles returns why a stage cannot be built for the platform at an index of
// those that were asked about: nil when it can. "" is the file's default. What is
// wrong with a reference whatever the platform is no obstacle: building the stage
// says so.
func (a *Availability) Obstacles(stage string, platform int) source.List {
	return a.obstacles[stage][platform]
}

// Builds reports whether a stage as written is there for the platform at an index, and
// can be built, when the stage of its name is.
func (a *Availability) Builds(s *syntax.Stage, platform int) bool {
	r := a.members[s.Name][platform]
	c := r.plan.Stages[s.Index]
	var missing source.List
	r.family.missing(c, map[*Choice]bool{}, &missing)
	return c.Decision.Holds && len(missing) == 0
}

// obstacles returns what a stage, or what it is made from, lacks.
func (r *resolver) obstacles(stage string) source.List {
	known := len(r.diagnostics)
	r.plan.Env.Stage = stage
	r.target()
	missing := slices.Clone(r.diagnostics[known:])
	r.diagnostics = r.diagnostics[:known]
	r.family.missing(r.plan.Target, map[*Choice]bool{}, &missing)
	return missing
}

// missing collects the variants that are missing in what a stage is made from.
func (f *family) missing(c *Choice, seen map[*Choice]bool, list *source.List) {
	if c == nil || seen[c] {
		return
	}
	seen[c] = true
	for _, d := range f.member(c.Plan.Env.Target).problems[c] {
		if d.Name == NoVariant || d.Name == DroppedStage {
			*list = append(*list, d)
		}
	}
	for _, e := range c.Edges {
		f.missing(e.Stage, seen, list)
	}
}
