package plan

import (
	"cmp"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/source"
)

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
