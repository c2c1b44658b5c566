package plan

import (
	"fmt"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// outcome is what became of a block.
type outcome struct {
	// taken is the branch that holds, or nil.
	taken *syntax.Branch
	// refuted says of each branch above the taken one why it does not hold. A
	// faulty condition has no reason.
	refuted map[*syntax.Branch]string
}

// blockLine decides a block where its IF stands, with the names declared there.
func (r *resolver) blockLine(in *syntax.Instruction, s *scope) {
	if in.Opens == nil || in.Opens.Block.OfStages || in.Opens != in.Opens.Block.Branches[0] {
		return
	}
	r.block(in.Opens.Block, s)
}

// block decides which branch of a block holds.
func (r *resolver) block(block *syntax.Block, s *scope) *outcome {
	if o := r.blocks[block]; o != nil {
		return o
	}
	o := &outcome{refuted: map[*syntax.Branch]string{}}
	r.blocks[block] = o
	sound := !block.Faulty
	for _, branch := range block.Branches {
		sound = r.checkNames(branch.Keyword, s) && sound
	}
	if !sound || !r.within(block.Branches[0].Outer, s).Holds {
		return o
	}
	for _, branch := range block.Branches {
		condition := branch.Keyword.Guard.If
		if condition == nil {
			o.taken = branch
			return o
		}
		holds, err := condition.Eval(r.plan.Env.Target, s)
		switch {
		case err != nil:
			r.reportGuard(branch.Keyword, err.(*guard.Error)) //nolint:errorlint // Eval documents its type
			return o
		case holds:
			o.taken = branch
			return o
		}
		o.refuted[branch] = fmt.Sprintf("%s %s (line %d)", keyword(branch), condition.Refutation(s), branch.Keyword.First)
	}
	return o
}

// within decides whether the branch that something stands in holds.
func (r *resolver) within(branch *syntax.Branch, s *scope) guard.Decision {
	if branch == nil {
		return guard.Decision{Holds: true}
	}
	if d := r.within(branch.Outer, s); !d.Holds {
		return d
	}
	o := r.block(branch.Block, s)
	switch {
	case o.taken == branch:
		return guard.Decision{Holds: true}
	case o.refuted[branch] != "":
		return guard.Decision{Reason: o.refuted[branch]}
	case o.taken != nil:
		return guard.Decision{Reason: fmt.Sprintf("the branch on line %d was taken", o.taken.Keyword.First)}
	}
	return guard.Decision{} // a condition is faulty, which has been reported
}

// keyword returns the line of a branch without its condition: IF or ELSE IF.
func keyword(branch *syntax.Branch) string {
	if branch == branch.Block.Branches[0] {
		return "IF"
	}
	return "ELSE IF"
}
