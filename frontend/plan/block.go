package plan

import (
	"fmt"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// outcome is what became of the branches of a block. It has none for those of a
// block that cannot be decided, or is not asked.
type outcome map[*syntax.Branch]guard.Decision

// blockLine decides a block where its IF stands, with the names declared there.
func (r *resolver) blockLine(in *syntax.Instruction, s *scope) {
	if in.Opens == nil || in.Opens.Block.OfStages || in.Opens != in.Opens.Block.Branches[0] {
		return
	}
	r.block(in.Opens.Block, s)
}

// block decides which branch of a block holds.
func (r *resolver) block(block *syntax.Block, s *scope) outcome {
	if o := r.blocks[block]; o != nil {
		return o
	}
	o := outcome{}
	r.blocks[block] = o
	sound := !block.Invalid
	for _, branch := range block.Branches {
		sound = r.checkNames(branch.Keyword, s) && sound
	}
	if !sound || !r.within(block.Branches[0].Outer, s).Holds {
		return o
	}
	taken := 0 // the line of the branch that holds
	for _, branch := range block.Branches {
		if taken != 0 {
			o[branch] = guard.Decision{Reason: fmt.Sprintf("the branch on line %d was taken", taken)}
			continue
		}
		d, err := r.branch(branch, s)
		if err != nil {
			r.reportGuard(branch.Keyword, err.(*guard.Error)) //nolint:errorlint // Eval documents its type
			return o
		}
		if o[branch] = d; d.Holds {
			taken = branch.Keyword.First
		}
	}
	return o
}

// branch decides about a branch, when none above it holds.
func (r *resolver) branch(branch *syntax.Branch, s *scope) (guard.Decision, error) {
	line := branch.Keyword.First
	condition := branch.Keyword.Guard.If
	if condition == nil {
		return guard.Decision{Holds: true, Reason: fmt.Sprintf("no branch above ELSE holds (line %d)", line)}, nil
	}
	holds, err := condition.Eval(r.plan.Platform, s)
	return guard.Decision{
		Holds:  holds,
		Reason: fmt.Sprintf("%s %s (line %d)", keyword(branch), condition.Outcome(holds, s), line),
	}, err
}

// within decides whether the branch that something stands in holds.
func (r *resolver) within(branch *syntax.Branch, s *scope) guard.Decision {
	if branch == nil {
		return guard.Decision{Holds: true}
	}
	d := r.within(branch.Outer, s)
	if !d.Holds {
		return d
	}
	// The zero decision where a condition is faulty, which has been reported.
	return d.And(r.block(branch.Block, s)[branch])
}

// keyword returns the line of a branch without its condition: IF or ELSE IF.
func keyword(branch *syntax.Branch) string {
	if branch == branch.Block.Branches[0] {
		return "IF"
	}
	return "ELSE IF"
}
