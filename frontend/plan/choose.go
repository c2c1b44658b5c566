package plan

import (
	"fmt"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// chooser decides which stages are selected and which instructions are kept in a plan. It
// records the decisions and the diagnostics of guards in the plan.
type chooser struct {
	plan   *Plan
	blocks map[*syntax.Block]branches // the decided blocks
}

func newChooser(p *Plan) *chooser {
	return &chooser{plan: p, blocks: map[*syntax.Block]branches{}}
}

// chooseGlobals decides which instructions before the first FROM are kept. An empty stage
// name means the default target.
func (c *chooser) chooseGlobals(stage string) {
	stages := c.plan.File.Stages
	if stage == "" && len(stages) > 0 {
		stage = stages[len(stages)-1].Name
	}
	automatic := &scope{args: c.plan.Env.automatic(c.plan.Platform, stage)}
	c.plan.globals = automatic.child(false)
	c.plan.globals.file = c.plan.File
	for _, in := range c.plan.File.Globals {
		c.decideInstruction(in, c.plan.globals)
	}
}

// chooseStages selects the first variant of each name whose guard holds.
func (c *chooser) chooseStages() {
	for _, block := range c.plan.File.Blocks {
		if block.OfStages {
			c.decideBlock(block, c.plan.globals)
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
		choice.Decision = c.decideStage(s, selected[group], undecided[group])
		undecided[group] = group != nil && (undecided[group] || choice.Decision.IsUndecided())
		// A named context replaces the stage even if the guard of no variant holds.
		// BuildKit needs a stage in the file to replace, so the last variant is kept.
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

// decideStage decides whether a stage is selected. selected is the variant above it that is
// selected, or nil; undecided reports whether a variant above it is undecided, so that it
// may have to be selected instead.
func (c *chooser) decideStage(s *syntax.Stage, selected *syntax.Stage, undecided bool) guard.Decision {
	d := c.decideBranch(s.From.Branch, c.plan.globals)
	if d.Holds && selected == nil && !undecided {
		return d.And(c.evalGuard(s.From, c.plan.globals))
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

// decideInstruction decides whether an instruction is kept, and adds the names that it
// declares to the scope.
func (c *chooser) decideInstruction(in *syntax.Instruction, s *scope) bool {
	if in.IsBlock() {
		c.decideBlockAt(in, s)
		return false
	}
	d := c.decideBranch(in.Branch, s)
	if d.Holds {
		d = d.And(c.evalGuard(in, s))
	} else {
		c.reportNames(in, s)
	}
	c.plan.decisions[in.Index] = d
	c.declare(in, s, d)
	return d.Holds
}

// evalGuard evaluates the guard of an instruction. If the guard has diagnostics, the
// decision is undecided.
func (c *chooser) evalGuard(in *syntax.Instruction, s *scope) guard.Decision {
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

// isDecidable reports whether a guard can be evaluated: the instruction and the values of
// the args in its condition are valid.
func isDecidable(in *syntax.Instruction, s *scope) bool {
	return !in.Invalid && (in.Guard.If == nil || in.Guard.If.IsDecidable(s))
}

// reportNames reports the names in a condition that are not in scope, and returns their
// number.
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

// reportUnknownNames reports the unknown names in the conditions of a stage that is not
// linked. Its base is unknown, so the stage may inherit every arg that is declared above.
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

// branches has the decision for each branch of a block. It is empty for a block that has
// diagnostics, or that is inside a branch that does not hold.
type branches map[*syntax.Branch]guard.Decision

// decideBlockAt decides a block of instructions when it is called for the IF line, so that
// the names declared above are in scope. It does nothing for the other lines of a block.
func (c *chooser) decideBlockAt(in *syntax.Instruction, s *scope) {
	if in.Opens == nil || in.Opens.Block.OfStages || in.Opens != in.Opens.Block.Branches[0] {
		return
	}
	c.decideBlock(in.Opens.Block, s)
}

// decideBlock decides which branch of a block holds. It decides a block once.
func (c *chooser) decideBlock(block *syntax.Block, s *scope) branches {
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
	if !decidable || !c.decideBranch(block.Branches[0].Outer, s).Holds {
		return decided
	}
	taken := 0 // the line of the branch that holds, or 0
	for _, branch := range block.Branches {
		if taken != 0 {
			decided[branch] = guard.Decision{Reason: fmt.Sprintf("the branch on line %d was taken", taken)}
			continue
		}
		d, err := c.evalBranch(branch, s)
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

// evalBranch evaluates the condition of a branch if no branch above it holds.
func (c *chooser) evalBranch(branch *syntax.Branch, s *scope) (guard.Decision, error) {
	line := branch.Keyword.First
	condition := branch.Keyword.Guard.If
	if condition == nil {
		return guard.Decision{Holds: true, Reason: fmt.Sprintf("no branch above the ELSE on line %d holds", line)}, nil
	}
	holds, err := condition.Eval(c.plan.Platform, s)
	return guard.Decision{
		Holds:  holds,
		Reason: fmt.Sprintf("in the %s on line %d, %s", keyword(branch), line, condition.Outcome(holds, s)),
	}, err
}

// decideBranch decides whether a branch and all branches around it hold.
func (c *chooser) decideBranch(branch *syntax.Branch, s *scope) guard.Decision {
	if branch == nil {
		return guard.Decision{Holds: true}
	}
	d := c.decideBranch(branch.Outer, s)
	if !d.Holds {
		return d
	}
	// A branch with diagnostics is not in the map. The zero decision is undecided.
	return d.And(c.decideBlock(branch.Block, s)[branch])
}

// keyword returns the keyword of a branch that has a condition: IF or ELSE IF.
func keyword(branch *syntax.Branch) string {
	if branch == branch.Block.Branches[0] {
		return "IF"
	}
	return "ELSE IF"
}
