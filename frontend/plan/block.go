package plan

import (
	"fmt"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

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
