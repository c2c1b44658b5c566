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

// UndeclaredPlatform is the name of the warning about a target platform that is not among
// the declared platforms.
const UndeclaredPlatform = "UndeclaredPlatform"

// Set is the result of a request: the plan of each platform, and the stages and inputs
// that the build needs. It is immutable.
type Set struct {
	// Targets has one Target for each platform of Requested that the build is for, in the
	// same order.
	Targets []*Target
	// Requested has one Target for each platform of the request, in its order.
	// [ResolvePossible] leaves out of Targets those that cannot be built.
	Requested []*Target
	// Inputs are the cross-platform inputs of the reached stages. An input comes after
	// the inputs that it is built from.
	Inputs []*Input
	// Needs are the needed stages to build beside the targets, each once.
	Needs []*Choice
	// HasTriggers reports whether an ONBUILD trigger of a reached stage refers to a stage.
	HasTriggers bool
	// UnknownBases are the base images of the reached stages whose triggers are not in
	// the request, each once. Triggers can reach more stages, so callers fetch them, add
	// them to the request and resolve it again.
	UnknownBases []Base
	// Warnings are diagnostics that do not fail a build.
	Warnings source.List
}

// Resolve plans a file for all platforms of a request. If the file has diagnostics for
// any of them, the set is nil and the error is a source.List of the diagnostics, without
// those that only follow from another one.
func Resolve(file *syntax.File, env Env, req Request) (*Set, error) {
	if file.HasUnterminatedText {
		return nil, file.Diagnostics.Err()
	}
	return newPlanner(file, env, req).resolve(req.Platforms).set(req.Stage, req.Platforms, nil)
}

// ResolvePossible is [Resolve], but leaves out of the set's Targets the platforms that the
// requested stage cannot be built for. An invalid guard is an error on every requested platform. If
// the stage can be built for none of them, the error has the reasons.
func ResolvePossible(file *syntax.File, env Env, req Request) (*Set, error) {
	if file.HasUnterminatedText {
		return nil, file.Diagnostics.Err()
	}
	r := newPlanner(file, env, req).resolve(req.Platforms)
	impossible := map[int]bool{}
	for i, platform := range req.Platforms {
		if len(r.whyUnavailable(req.Stage, platform)) > 0 {
			impossible[i] = true
		}
	}
	if len(impossible) == len(req.Platforms) {
		impossible = nil
	}
	return r.set(req.Stage, req.Platforms, impossible)
}

// WithAllInputs returns a copy of the set whose Inputs are those of all selected stages,
// reached or not, because BuildKit converts all stages when it checks a file.
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

// appendInput appends the input of an edge, unless the edge has none or the input is known.
func appendInput(list []*Input, known map[*Input]bool, c *Choice, e *Edge) []*Input {
	if e == nil || !isDependency(e) {
		return list
	}
	if in := c.inputFor(e); !known[in] {
		known[in] = true
		list = append(list, in)
	}
	return list
}

// resolution has the finished plans of a planner. It is immutable.
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

// set returns the set for a stage and the requested platforms. The platforms at the skipped
// indexes are not built.
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
		set.Warnings = append(set.Warnings, undeclaredWarning(r.file, platform)...)
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

// unresolved returns the invalid references of the reached stages, or of the unreached
// ones if isReached is false.
func (p *Plan) unresolved(reached map[*Choice]bool, isReached bool) []Unresolved {
	var list []Unresolved
	for _, c := range p.Stages {
		if reached[c] == isReached {
			list = append(list, c.unresolved...)
		}
	}
	return list
}

// reach finds the stages that the targets reach, adds their inputs, needed stages and
// unknown base images to the set, and returns them.
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
			s.HasTriggers = s.HasTriggers || e.isTrigger && e.Stage != nil
			s.Inputs = appendInput(s.Inputs, inputs, c, e)
			if !isDependency(e) && !needs[e.Stage] {
				needs[e.Stage] = true
				s.Needs = append(s.Needs, e.Stage)
			}
		}
	}
	return reached
}

// addBase adds the base image of a stage to UnknownBases, unless its triggers are known.
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

// undeclaredWarning returns the warning about a platform that the file does not declare.
func undeclaredWarning(file *syntax.File, platform guard.Platform) source.List {
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
		Hint:    "add it to # platforms=, or build for a declared platform",
	}}
}

// Target is a plan with the stage to build.
type Target struct {
	*Plan
	// Choice is the stage to build, or nil if it is not selected.
	Choice *Choice
	// Default is the default target, or nil if it is not selected.
	Default *Choice
	// Name is the target to pass to BuildKit. It is "" for the last stage of the lowered
	// file.
	Name string
	// Unreached are the invalid references of unreached stages. They do not fail a build.
	Unreached []Unresolved
}

// target returns the target for a stage name, or for the default target if the name is
// "". If the stage is not selected, target also returns the diagnostics. The target has no
// Choice if errors in blocks leave the stages of the file unknown.
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
			list[0].Hint += "; or write " + targetFlags(names)
		}
		return t, list
	}
	if stage != "" || t.Choice.position != p.selected-1 {
		t.Name = name
	}
	return t, nil
}

// droppedTarget returns the diagnostic of an unnamed default target that is dropped. The
// list is empty if the target is selected or undecided.
func (p *Plan) droppedTarget(last *Choice) source.List {
	if last.Decision.Holds || last.Decision.IsUndecided() {
		return nil
	}
	hint := "change the guards, which drop every stage"
	if names := p.selectedNames(); len(names) > 0 {
		hint = "write " + targetFlags(names)
	}
	return source.List{p.platformDiagnostic(last.Stage.From.Span(), DroppedTarget,
		"the default target (the last stage) is dropped", last.Decision.Reason, hint)}
}

// targetFlags returns the flags that build one of the stages, for at most three of them.
func targetFlags(stages []string) string {
	var flags []string
	for _, name := range stages[:min(len(stages), 3)] {
		flags = append(flags, "--target "+name)
	}
	return strings.Join(flags, " or ")
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
