package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// target finds the stage that a name means, "" for the default, and says what is wrong
// when it is not there. Nothing is found where it cannot be said what stages are made of.
func (r *resolver) target(stage string) (*Target, source.List) {
	t := &Target{Plan: r.plan}
	if len(t.Stages) == 0 || t.File.HasBlockErrors {
		return t, nil
	}
	last := t.Stages[len(t.Stages)-1]
	switch {
	case last.Stage.Name != "":
		t.Default = r.find(last.Stage.Name, len(t.Stages))
	case last.Decision.Holds:
		t.Default = last
	}
	name := cmp.Or(stage, last.Stage.Name)
	if name == "" {
		t.Choice = t.Default
		return t, r.anonymous(last)
	}
	group := t.File.Group(name)
	if group == nil {
		t.Name = name // BuildKit refuses it, with a suggestion.
		return t, nil
	}
	t.Choice = r.find(name, len(t.Stages))
	if t.Choice == nil {
		list := r.noVariant(group, group.Stages[len(group.Stages)-1].From.Span())
		if names := r.buildable(); stage == "" && len(list) > 0 && len(names) > 0 {
			list[0].Hint += "; or choose a target: " + strings.Join(names, ", ")
		}
		return t, list
	}
	if stage != "" || t.Choice.position != r.selected-1 {
		t.Name = name
	}
	return t, nil
}

// anonymous says when the last stage, which has no name, is not there to be the target.
func (r *resolver) anonymous(last *Choice) source.List {
	if last.Decision.Holds || last.Decision.IsUndecided() {
		return nil
	}
	hint := "no stage is there for it"
	if names := r.buildable(); len(names) > 0 {
		hint = "choose a target: " + strings.Join(names, ", ")
	}
	return source.List{r.diagnostic(last.Stage.From.Span(), DroppedTarget,
		"the default target, the last stage, is not there for "+r.platform()+": "+last.Decision.Reason, hint)}
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
