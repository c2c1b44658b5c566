package plan

import (
	"slices"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// target finds the stage that is built, unless it cannot be said what stages are
// made of.
func (r *resolver) target() {
	p := r.plan
	if len(p.Stages) == 0 || p.File.Tangled {
		return
	}
	last := p.Stages[len(p.Stages)-1]
	switch {
	case last.Stage.Name != "":
		p.Default = r.find(last.Stage.Name, len(p.Stages))
	case last.Decision.Holds:
		p.Default = last
	}
	name := p.Env.Stage
	if name == "" {
		name = last.Stage.Name
	}
	if name == "" {
		r.anonymousTarget(last)
		return
	}
	group := p.File.Group(name)
	if group == nil {
		p.TargetName = name // BuildKit refuses it, with a suggestion.
		return
	}
	p.Target = r.find(name, len(p.Stages))
	if p.Target == nil {
		list := r.noVariant(group, group.Stages[len(group.Stages)-1].From.Span())
		if names := r.buildable(); p.Env.Stage == "" && len(list) > 0 && len(names) > 0 {
			list[0].Hint += "; or choose a target: " + strings.Join(names, ", ")
		}
		r.diagnostics = append(r.diagnostics, list...)
		return
	}
	if p.Env.Stage != "" || p.Target.position != r.selected-1 {
		p.TargetName = name
	}
}

// anonymousTarget takes the last stage, which has no name, as the target.
func (r *resolver) anonymousTarget(last *Choice) {
	switch {
	case last.Decision.Holds:
		r.plan.Target = last
	case !last.Decision.Undecided():
		hint := "no stage is there for it"
		if names := r.buildable(); len(names) > 0 {
			hint = "choose a target: " + strings.Join(names, ", ")
		}
		r.report(last.Stage.From.Span(), DroppedTarget,
			"the default target, the last stage, is not there for "+r.platform()+": "+last.Decision.Reason, hint)
	}
}

// find returns the stage that a name means to the stage at index: the last one
// selected above it.
func (r *resolver) find(name string, index int) *Choice {
	group := r.plan.File.Group(name)
	if group == nil {
		return nil
	}
	for _, s := range slices.Backward(group.Stages) {
		if c := r.plan.Stages[s.Index]; s.Index < index && c.Decision.Holds {
			return c
		}
	}
	return nil
}

// above returns the stage above the one at index that a name means to it, in a
// reference of some kind. Of stages of one name without guards the last one in the
// file gives files, and others the last one above (buildStageDependencyGraph and
// addState in BuildKit's dockerfile2llb/convert.go).
func (r *resolver) above(kind syntax.ReferenceKind, name string, index int) *Choice {
	if kind != syntax.CopyFrom && kind != syntax.MountFrom {
		return r.find(name, index)
	}
	if c := r.find(name, len(r.plan.Stages)); c != nil && c.Stage.Index < index {
		return c
	}
	return nil
}

// buildable returns the names of the selected stages.
func (r *resolver) buildable() []string {
	var names []string
	for _, c := range r.plan.Stages {
		if c.Decision.Holds && c.Stage.Name != "" && !slices.Contains(names, c.Stage.Name) {
			names = append(names, c.Stage.Name)
		}
	}
	return names
}
