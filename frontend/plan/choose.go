package plan

import (
	"fmt"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// chooser decides which stages and instructions of a file are kept in a plan. It records
// the decisions and the diagnostics of guards in the plan.
type chooser struct {
	plan   *Plan
	blocks map[*syntax.Block]branches // those that were decided
}

func newChooser(p *Plan) *chooser {
	return &chooser{plan: p, blocks: map[*syntax.Block]branches{}}
}

// globals decides about the instructions before the first FROM. The target stage is the
// file's default if its name is "".
func (c *chooser) globals(stage string) {
	stages := c.plan.File.Stages
	if stage == "" && len(stages) > 0 {
		stage = stages[len(stages)-1].Name
	}
	automatic := &scope{args: c.plan.Env.automatic(c.plan.Platform, stage)}
	c.plan.globals = automatic.child(false)
	for _, in := range c.plan.File.Globals {
		c.instruction(in, c.plan.globals)
	}
}

// stages selects the stages: of each name the first one whose guard holds.
func (c *chooser) stages() {
	for _, block := range c.plan.File.Blocks {
		if block.OfStages {
			c.block(block, c.plan.globals)
		}
	}
	selected := map[*syntax.Group]*syntax.Stage{}
	undecided := map[*syntax.Group]bool{}
	for _, s := range c.plan.File.Stages {
		choice := &Choice{Stage: s, Plan: c.plan}
		c.plan.Stages = append(c.plan.Stages, choice)
		var group *syntax.Group
		if s.Name != "" {
			group = c.plan.File.Group(s.Name)
		}
		choice.Decision = c.stage(s, selected[group], undecided[group])
		undecided[group] = group != nil && (undecided[group] || choice.Decision.IsUndecided())
		// A named context replaces the stage, whichever variant it would be. One variant
		// has to be kept, for BuildKit to put the context in its place.
		isLast := group != nil && group.IsGuarded() && s == group.Stages[len(group.Stages)-1]
		if isLast && selected[group] == nil && c.plan.hasContext(s, s.Name) {
			choice.Decision = guard.Decision{Holds: true}
		}
		c.plan.decisions[s.From.Index] = choice.Decision
		if !choice.Decision.Holds {
			continue
		}
		choice.position = c.plan.selected
		c.plan.selected++
		if group != nil && group.IsGuarded() {
			selected[group] = s
		}
	}
}

// stage decides whether a stage is selected, after a variant of its name that is, or
// after one that is undecided and may have to be.
func (c *chooser) stage(s *syntax.Stage, selected *syntax.Stage, undecided bool) guard.Decision {
	d := c.within(s.From.Branch, c.plan.globals)
	if d.Holds && selected == nil && !undecided {
		return d.And(c.decide(s.From, c.plan.globals))
	}
	c.reportNames(s.From, c.plan.globals)
	switch {
	case !d.Holds:
		return d
	case selected != nil:
		return guard.Decision{Reason: fmt.Sprintf("the variant on line %d was selected", selected.From.First)}
	}
	return guard.Decision{}
}

// instruction decides whether an instruction is kept, and declares its names.
func (c *chooser) instruction(in *syntax.Instruction, s *scope) bool {
	if in.IsBlock() {
		c.blockLine(in, s)
		return false
	}
	d := c.within(in.Branch, s)
	if d.Holds {
		d = d.And(c.decide(in, s))
	} else {
		c.reportNames(in, s)
	}
	c.plan.decisions[in.Index] = d
	c.declare(in, s, d)
	return d.Holds
}

// decide evaluates an instruction's guard. The decision is undecided when the guard has
// diagnostics.
func (c *chooser) decide(in *syntax.Instruction, s *scope) guard.Decision {
	if in.Guard.IsZero() && !in.Invalid {
		return guard.Decision{Holds: true}
	}
	if c.reportNames(in, s) > 0 || !isDecidable(in, s) {
		return guard.Decision{}
	}
	d, err := in.Guard.Eval(c.plan.Platform, s)
	if err != nil {
		c.reportGuard(in, err.(*guard.Error)) //nolint:errorlint // Eval documents its type
	}
	return d
}

// isDecidable reports whether the guard of an instruction and the args in it are valid.
func isDecidable(in *syntax.Instruction, s *scope) bool {
	return !in.Invalid && (in.Guard.If == nil || in.Guard.If.IsDecidable(s))
}

// reportNames reports the names of a condition that the scope does not know, and returns
// how many there are.
func (c *chooser) reportNames(in *syntax.Instruction, s *scope) int {
	if in.Guard.If == nil {
		return 0
	}
	errs := in.Guard.If.Check(s)
	for _, err := range errs {
		c.reportGuard(in, err)
	}
	return len(errs)
}

// reportUnknownNames reports unknown names in the conditions of instructions that are not
// evaluated. It is unknown what their stage inherits, so every ARG of the file above
// counts as declared.
func (c *chooser) reportUnknownNames(body []*syntax.Instruction, declared *scope) {
	for _, in := range body {
		c.reportNames(in, declared)
	}
}

func (c *chooser) reportGuard(in *syntax.Instruction, err *guard.Error) {
	span := in.ConditionSpan(err.Start, err.End)
	hint := c.plan.File.GuardHint(in, err)
	c.plan.diagnostics = append(c.plan.diagnostics, c.plan.diagnostic(span, err.Name, err.Message, hint))
}

func (p *Plan) diagnostic(span source.Span, name, message, hint string) *source.Diagnostic {
	return &source.Diagnostic{Name: name, Span: span, Message: message, Hint: hint}
}
