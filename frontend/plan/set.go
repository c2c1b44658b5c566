package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// UndeclaredPlatform is the name of the warning about a target platform that the
// file does not declare.
const UndeclaredPlatform = "UndeclaredPlatform"

// Set is the plans for one request. It is immutable.
type Set struct {
	// Targets has the stage to build for each target platform, in the order of the
	// request.
	Targets []*Target
	// Requested has one Target for each requested platform, in order. [ResolvePossible]
	// leaves some of them out of Targets.
	Requested []*Target
	// Inputs are the cross-platform inputs of the stages that are reached. Each refers
	// only to inputs before it.
	Inputs []*Input
	// Needs are the needed stages that have to be built beside the targets, each once.
	Needs []*Choice
	// Triggers reports whether an ONBUILD trigger names a stage that is reached.
	Triggers bool
	// UnknownBases are the base images of the stages that are reached, each once, if
	// the request does not have their triggers. Planning again with these can reach
	// more stages.
	UnknownBases []Base
	// Warnings are diagnostics that do not fail a build.
	Warnings source.List
}

// Resolve plans a file that uses the language, for all platforms of a request. The
// error is a source.List of the diagnostics on any of them, those of the file
// included, but not those that follow from another. The set is nil then.
func Resolve(file *syntax.File, env Env, req Request) (*Set, error) {
	if file.HasUnterminatedText {
		return nil, file.Diagnostics.Err()
	}
	return newPlanner(file, env, req).finish(req.Platforms).set(req.Stage, req.Platforms, nil)
}

// ResolvePossible is [Resolve] for the platforms that the stage can be built for. The
// others are only left out of the set's Targets: an invalid guard is an error on every
// requested platform. When the stage can be built for none, the error tells why.
func ResolvePossible(file *syntax.File, env Env, req Request) (*Set, error) {
	if file.HasUnterminatedText {
		return nil, file.Diagnostics.Err()
	}
	r := newPlanner(file, env, req).finish(req.Platforms)
	impossible := map[int]bool{}
	for i, platform := range req.Platforms {
		if len(r.unavailable(req.Stage, platform)) > 0 {
			impossible[i] = true
		}
	}
	if len(impossible) == len(req.Platforms) {
		impossible = nil
	}
	return r.set(req.Stage, req.Platforms, impossible)
}

// WithAllInputs returns the set with the inputs of all selected stages of its targets'
// platforms, reached or not: BuildKit reads all of them when it checks a file.
func (s *Set) WithAllInputs() *Set {
	all := *s
	all.Inputs = nil
	known := map[*Input]bool{nil: true}
	walk := newWalk(isAny)
	for _, t := range s.Targets {
		for _, c := range t.Stages {
			for c, e := range walk.From(c) {
				all.Inputs = appendInput(all.Inputs, known, c, e)
			}
		}
	}
	return &all
}

// appendInput appends the input that an edge needs, if there is one and it is not known.
func appendInput(list []*Input, known map[*Input]bool, c *Choice, e *Edge) []*Input {
	if e == nil || !isDependency(e) {
		return list
	}
	if in := c.supplied(e); !known[in] {
		known[in] = true
		list = append(list, in)
	}
	return list
}

// resolution is the plans that a planner made. It is immutable.
type resolution struct {
	file       *syntax.File
	triggers   Triggers
	plans      []*Plan
	byInstance map[instance]*Plan
}

// plan returns the plan of one of the target platforms.
func (r *resolution) plan(platform guard.Platform) *Plan {
	return r.byInstance[instance{r.file, guard.FormatPlatform(platform)}]
}

// set returns the set of a stage and its target platforms, of which those at some indexes
// are not built.
func (r *resolution) set(stage string, requested []guard.Platform, skipped map[int]bool) (*Set, error) {
	set := &Set{Warnings: slices.Clone(r.file.Warnings)}
	missing := map[*Plan]source.List{}
	for i, platform := range requested {
		target, list := r.plan(platform).target(stage)
		set.Requested = append(set.Requested, target)
		if skipped[i] {
			continue
		}
		missing[target.Plan] = list
		set.Targets = append(set.Targets, target)
		set.Warnings = append(set.Warnings, undeclared(r.file, platform)...)
	}
	reached := set.reach(r.triggers)
	list := slices.Clone(r.file.Diagnostics)
	for _, p := range r.plans {
		list = slices.Concat(list, p.diagnostics, missing[p])
		for _, u := range p.unresolved(reached, true) {
			list = append(list, u.Diagnostic)
		}
	}
	if err := list.Err(); err != nil {
		return nil, err
	}
	for _, t := range set.Requested {
		t.Unreached = t.unresolved(reached, false)
	}
	return set, nil
}

// unresolved returns the invalid references of the stages that are reached, or of those
// that are not.
func (p *Plan) unresolved(reached map[*Choice]bool, isReached bool) []Unresolved {
	var list []Unresolved
	for _, c := range p.Stages {
		if reached[c] == isReached {
			list = append(list, c.unresolved...)
		}
	}
	return list
}

// reach adds the inputs, needs and bases of the stages that the targets reach, and returns
// these stages.
func (s *Set) reach(known Triggers) map[*Choice]bool {
	reached, inputs := map[*Choice]bool{}, map[*Input]bool{nil: true}
	needs, bases := map[*Choice]bool{nil: true}, map[string]bool{}
	walk := newWalk(isAny)
	for _, t := range s.Targets {
		for c, e := range walk.From(t.Choice) {
			if e == nil {
				reached[c] = true
				s.addBase(c, known, bases)
				continue
			}
			s.Triggers = s.Triggers || e.isTrigger && e.Stage != nil
			s.Inputs = appendInput(s.Inputs, inputs, c, e)
			if !isDependency(e) && !needs[e.Stage] {
				needs[e.Stage] = true
				s.Needs = append(s.Needs, e.Stage)
			}
		}
	}
	return reached
}

// addBase adds the base image of a stage, unless its triggers are known.
func (s *Set) addBase(c *Choice, known Triggers, added map[string]bool) {
	if c.base == nil {
		return
	}
	key := c.base.Key()
	if _, ok := known[key]; ok || added[key] {
		return
	}
	added[key] = true
	s.UnknownBases = append(s.UnknownBases, *c.base)
}

// undeclared returns the warning about a target platform that the file does not declare.
func undeclared(file *syntax.File, platform guard.Platform) source.List {
	if file.Platforms == nil {
		return nil
	}
	match := platforms.OnlyStrict(platform)
	if slices.ContainsFunc(file.Platforms, match.Match) {
		return nil
	}
	var names []string
	for _, p := range file.Platforms {
		names = append(names, guard.FormatPlatform(p))
	}
	return source.List{{
		Name: UndeclaredPlatform, Span: file.PlatformsSpan,
		Message: "the file does not declare " + guard.FormatPlatform(platform) + ", only " + strings.Join(names, ", "),
		Hint:    "add it to # platforms=, or build for a declared one",
	}}
}

// Target is a plan, and the stage of it to build.
type Target struct {
	*Plan
	// Choice is the stage to build, or nil when it is not selected.
	Choice *Choice
	// Default is the default target, or nil when it is not selected.
	Default *Choice
	// Name is the target to give to BuildKit. It is "" when that is the last stage of
	// the lowered file.
	Name string
	// Unreached are the invalid references in stages that no target of the set reaches.
	// They do not fail a build.
	Unreached []Unresolved
}

// target finds the stage of a name, "" for the default, and returns the diagnostics if it
// is not selected. There is no Choice in a file whose stages are unclear.
func (p *Plan) target(stage string) (*Target, source.List) {
	t := &Target{Plan: p}
	if len(p.Stages) == 0 || p.File.HasBlockErrors {
		return t, nil
	}
	last := p.Stages[len(p.Stages)-1]
	switch {
	case last.Stage.Name != "":
		t.Default = p.find(last.Stage.Name, len(p.Stages))
	case last.Decision.Holds:
		t.Default = last
	}
	name := cmp.Or(stage, last.Stage.Name)
	if name == "" {
		t.Choice = t.Default
		return t, p.droppedTarget(last)
	}
	group := p.File.Group(name)
	if group == nil {
		t.Name = name // BuildKit refuses it, with a suggestion.
		return t, nil
	}
	t.Choice = p.find(name, len(p.Stages))
	if t.Choice == nil {
		list := p.noVariant(group, group.Stages[len(group.Stages)-1].From.Span())
		if names := p.selectedNames(); stage == "" && len(list) > 0 && len(names) > 0 {
			list[0].Hint += "; or choose a target: " + strings.Join(names, ", ")
		}
		return t, list
	}
	if stage != "" || t.Choice.position != p.selected-1 {
		t.Name = name
	}
	return t, nil
}

// droppedTarget returns the diagnostic of a default target without a name that is
// dropped. The list is empty for any other.
func (p *Plan) droppedTarget(last *Choice) source.List {
	if last.Decision.Holds || last.Decision.IsUndecided() {
		return nil
	}
	hint := "no stage is selected for it"
	if names := p.selectedNames(); len(names) > 0 {
		hint = "choose a target: " + strings.Join(names, ", ")
	}
	return source.List{p.diagnostic(last.Stage.From.Span(), DroppedTarget,
		"the default target, the last stage, is dropped for "+p.platformName()+": "+last.Decision.Reason, hint)}
}

// selectedNames returns the names of the selected stages, each once.
func (p *Plan) selectedNames() []string {
	var names []string
	seen := map[string]bool{"": true}
	for _, c := range p.Stages {
		if c.Decision.Holds && !seen[c.Stage.Name] {
			seen[c.Stage.Name] = true
			names = append(names, c.Stage.Name)
		}
	}
	return names
}
