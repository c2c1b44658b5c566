package plan

import (
	"fmt"

	"github.com/stagebuild/stagebuild/frontend/guard"
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

// branches are the decisions about the branches of a block. It is empty for a block with
// diagnostics, or in a branch that does not hold.
type branches map[*syntax.Branch]guard.Decision

// blockLine decides a block of instructions at its IF, with the names declared above.
func (c *chooser) blockLine(in *syntax.Instruction, s *scope) {
	if in.Opens == nil || in.Opens.Block.OfStages || in.Opens != in.Opens.Block.Branches[0] {
		return
	}
	c.block(in.Opens.Block, s)
}

// block decides which branch of a block holds.
func (c *chooser) block(block *syntax.Block, s *scope) branches {
	if known := c.blocks[block]; known != nil {
		return known
	}
	decided := branches{}
	c.blocks[block] = decided
	decidable := !block.Invalid
	for _, branch := range block.Branches {
		unknown := c.reportNames(branch.Keyword, s)
		decidable = decidable && unknown == 0 && isDecidable(branch.Keyword, s)
	}
	if !decidable || !c.within(block.Branches[0].Outer, s).Holds {
		return decided
	}
	taken := 0 // the line of the branch that holds
	for _, branch := range block.Branches {
		if taken != 0 {
			decided[branch] = guard.Decision{Reason: fmt.Sprintf("the branch on line %d was taken", taken)}
			continue
		}
		d, err := c.branch(branch, s)
		if err != nil {
			c.reportGuard(branch.Keyword, err.(*guard.Error)) //nolint:errorlint // Eval documents its type
			return decided
		}
		if decided[branch] = d; d.Holds {
			taken = branch.Keyword.First
		}
	}
	return decided
}

// branch decides about a branch, when none above it holds.
func (c *chooser) branch(branch *syntax.Branch, s *scope) (guard.Decision, error) {
	line := branch.Keyword.First
	condition := branch.Keyword.Guard.If
	if condition == nil {
		return guard.Decision{Holds: true, Reason: fmt.Sprintf("no branch above ELSE holds (line %d)", line)}, nil
	}
	holds, err := condition.Eval(c.plan.Platform, s)
	return guard.Decision{
		Holds:  holds,
		Reason: fmt.Sprintf("%s %s (line %d)", keyword(branch), condition.Outcome(holds, s), line),
	}, err
}

// within decides whether a branch and the branches around it hold.
func (c *chooser) within(branch *syntax.Branch, s *scope) guard.Decision {
	if branch == nil {
		return guard.Decision{Holds: true}
	}
	d := c.within(branch.Outer, s)
	if !d.Holds {
		return d
	}
	// A branch with diagnostics has the zero decision, which is undecided.
	return d.And(c.block(branch.Block, s)[branch])
}

// keyword returns the keyword of a branch with a condition: IF or ELSE IF.
func keyword(branch *syntax.Branch) string {
	if branch == branch.Block.Branches[0] {
		return "IF"
	}
	return "ELSE IF"
}
