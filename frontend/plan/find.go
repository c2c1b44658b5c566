package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// find returns the stage that a name means for the stage at an index: the last selected
// one of the name above it, or nil.
func (p *Plan) find(name string, index int) *Choice {
	group := p.File.Group(name)
	if group == nil {
		return nil
	}
	for _, s := range slices.Backward(group.Stages) {
		if c := p.Stages[s.Index]; s.Index < index && c.Decision.Holds {
			return c
		}
	}
	return nil
}

// above returns the stage that a reference of some kind means in the stage at an index,
// or nil. Of stages that share a name without guards, files come from the last one in the
// file, and other references mean the last one above (buildStageDependencyGraph and
// addState in BuildKit's dockerfile2llb/convert.go).
func (p *Plan) above(kind syntax.ReferenceKind, name string, index int) *Choice {
	if kind != syntax.CopyFrom && kind != syntax.MountFrom {
		return p.find(name, index)
	}
	if c := p.find(name, len(p.Stages)); c != nil && c.Stage.Index < index {
		return c
	}
	return nil
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

// noVariant lists the variants of a stage of which none is selected, with the reasons.
// The list is empty when a guard is undecided, which has been reported.
func (p *Plan) noVariant(group *syntax.Group, span source.Span) source.List {
	var b strings.Builder
	fmt.Fprintf(&b, "stage %q has no variant for %s:", group.Name, p.platformName())
	for _, s := range group.Stages {
		d := p.Stages[s.Index].Decision
		if d.IsUndecided() {
			return nil
		}
		fmt.Fprintf(&b, "\n  line %d: %s", s.From.First, d.Reason)
	}
	hint := "add a variant that holds, or a last one without a guard: FROM … AS " + group.Name
	if context := p.nearContext(group.Name); context != "" {
		hint = fmt.Sprintf("there is a named context %q; name it %q to replace the stage", context, group.Name)
	}
	return source.List{p.diagnostic(span, NoVariant, b.String(), hint)}
}

// nearContext returns the named context whose name is a typo away from that of a stage,
// and is no stage itself, or "".
func (p *Plan) nearContext(stage string) string {
	var names []string
	for context := range p.Env.Contexts {
		name, _, _ := syntax.SplitPlatform(context)
		if group := p.File.Group(name); group == nil || group.Name != name {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return source.Closest(stage, names)
}

func (p *Plan) platformName() string {
	return guard.FormatPlatform(p.Platform)
}
