package plan

import (
	"bytes"
	"strconv"

	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// emptyImage is the name of the base that BuildKit never pulls.
const emptyImage = "scratch"

// Lower returns the plain Dockerfile of a plan. It has as many lines as the file, and
// every kept instruction begins and ends on its original lines: only the bytes of dropped
// instructions, guard flags and rewritten references change. A plain file comes back as
// it is, even if it is invalid: BuildKit reports that.
func Lower(p *Plan) []byte {
	return lower(p, nil)
}

// LowerStage lowers the file but empties every stage except c, its dependencies and the
// SOURCE_DATE_EPOCH stage. Stage numbers stay the same.
func LowerStage(c *Choice) []byte {
	used := map[*Choice]bool{}
	walk := newWalk(isInConversion)
	for _, start := range append(c.Plan.epochStages(), c) {
		for c := range walk.From(start) {
			used[c] = true
		}
	}
	emptied := map[*Choice]bool{}
	for _, other := range c.Plan.Stages {
		emptied[other] = other.Decision.Holds && !used[other]
	}
	return lower(c.Plan, emptied)
}

// lower lowers a file in which some of the selected stages are emptied.
func lower(p *Plan, emptied map[*Choice]bool) []byte {
	if !p.File.IsStaged {
		return bytes.Clone(p.File.Source.Data)
	}
	l := &lowerer{file: p.File.Source, escape: byte(p.File.Escape)}
	dropped := map[*syntax.Instruction]bool{}
	for c, isEmptied := range emptied {
		for _, in := range c.Stage.Body {
			dropped[in] = isEmptied
		}
	}
	for _, in := range p.File.Instructions {
		l.instruction(in, p.Decision(in).Holds && !dropped[in])
	}
	for _, c := range p.Stages {
		if emptied[c] || c.hasNoBase() {
			l.rewriteReference(c.Stage.Base, emptyImage)
			continue
		}
		for i := range c.Edges {
			l.reference(c, &c.Edges[i])
		}
	}
	return l.apply()
}

// instruction drops an instruction, or cuts the flags of the language out of it.
func (l *lowerer) instruction(in *syntax.Instruction, isKept bool) {
	if !isKept {
		l.drop(in)
		return
	}
	flags := in.OwnFlags()
	for i, flag := range flags {
		l.cut(in, flag, in.HasTrailingFlag() && i == len(flags)-1)
	}
}

// reference rewrites a reference in place where BuildKit would read it differently.
func (l *lowerer) reference(c *Choice, e *Edge) {
	name := e.Name
	switch isBase := e.Reference.Kind == syntax.FromBase; {
	case e.isTrigger:
		return
	case e.Reference.Kind == syntax.Needs:
		return // cut with its flag
	case e.isInvalid:
		// BuildKit reads the references of every stage, reached or not.
		name = emptyImage
	case e.Input != nil && isBase:
		// The stage runs on the platform of its base. Without the input, the name of a
		// stage would mean the stage of the target platform, also where a named context
		// replaces it.
		if in := c.supplied(e); in != nil {
			name = in.Name
		}
		if c.Stage.Platform == "" {
			l.addPlatform(c.Stage.From, e.Input.Platform)
		}
	case e.Input != nil:
		name = e.Input.Name
	case e.Stage != nil && e.isNumber:
		name = strconv.Itoa(e.Stage.position)
	case isBase && e.Stage != nil && e.Name != e.Stage.Stage.Name:
		name = e.Stage.Stage.Name // BuildKit compares bases with case.
	case isBase:
		return // BuildKit expands it.
	}
	l.rewriteReference(e.Reference, name)
}
