package plan

import (
	"slices"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Availability says which stages of a file can be built for which platforms: a
// stage can when it and all that it reaches have a selected variant there. It has
// resolved them all, once.
type Availability struct {
	targets  []guard.Platform
	families map[string]*family // by stage
}

// Available plans the file for each of its stages, for its default, and for the stages
// that are named. Names are the stages as the user typed them; case matters, because
// TARGETSTAGE keeps it. The error is a source.List of the diagnostics that the file has
// whichever stage is built.
func Available(file *syntax.File, env Env, targets []guard.Platform, names ...string) (*Availability, error) {
	if file.HasUnterminatedText {
		return nil, file.Diagnostics.Err()
	}
	a := &Availability{targets: targets, families: map[string]*family{}}
	asksStage := asksForStage(file)
	faults := slices.Clone(file.Diagnostics)
	var f *family
	for _, name := range slices.Concat(file.StageNames(), []string{""}, names) {
		if a.families[name] != nil {
			continue
		}
		// Only a file that looks at its target differs between them.
		if f == nil || asksStage {
			f = resolved(file, env, Request{Stage: name, Platforms: targets})
			for _, r := range f.order {
				faults = append(faults, r.diagnostics...)
			}
		}
		a.families[name] = f
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

// Diagnostics returns why a stage cannot be built for the platform at an index of
// those that were asked about: nil when it can. "" is the file's default. What is
// wrong with a reference on every platform is not among it: building the stage reports
// that.
func (a *Availability) Diagnostics(stage string, platform int) source.List {
	return a.families[stage].obstacles(stage, a.targets[platform])
}

// obstacles returns why a stage cannot be built for a platform.
func (f *family) obstacles(stage string, platform guard.Platform) source.List {
	target, missing := f.member(platform).target(stage)
	f.missing(target.Choice, map[*Choice]bool{}, &missing)
	return missing
}

// Target returns what there is of a stage for the platform at an index of those that were
// asked about. It has no Choice when the stage is not there.
func (a *Availability) Target(stage string, platform int) *Target {
	target, _ := a.families[stage].member(a.targets[platform]).target(stage)
	return target
}

// Set returns the plans for building a stage for some of the platforms that were asked
// about, and the error of that: what [Resolve] returns.
func (a *Availability) Set(stage string, targets []guard.Platform) (*Set, error) {
	return a.families[stage].set(stage, targets)
}

// Builds reports whether a stage as written is there for the platform at an index, and
// can be built, when the stage of its name is.
func (a *Availability) Builds(s *syntax.Stage, platform int) bool {
	f := a.families[s.Name]
	c := f.member(a.targets[platform]).plan.Stages[s.Index]
	var missing source.List
	f.missing(c, map[*Choice]bool{}, &missing)
	return c.Decision.Holds && len(missing) == 0
}

// missing collects the variants that are missing in what a stage is made from.
func (f *family) missing(c *Choice, seen map[*Choice]bool, list *source.List) {
	if c == nil || seen[c] {
		return
	}
	seen[c] = true
	for _, d := range f.member(c.Plan.Platform).problems[c] {
		if d.Name == NoVariant || d.Name == DroppedStage {
			*list = append(*list, d)
		}
	}
	for _, e := range c.Edges {
		f.missing(e.Stage, seen, list)
	}
}
