package syntax

import (
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
)

// Names of the diagnostics about blocks.
const (
	BlockWithoutEnd   = "BlockWithoutEnd"
	BlockWithoutIf    = "BlockWithoutIf"
	BlockOrder        = "BlockOrder"
	BlockSyntax       = "BlockSyntax"
	BlockTooDeep      = "BlockTooDeep"
	MixedBlock        = "MixedBlock"
	InstructionInVoid = "InstructionInVoid"
)

// maxNesting is the maximum depth of nested blocks ("Blocks" in docs/reference.md).
const maxNesting = 32

// Block is the lines from an IF to its ENDIF.
type Block struct {
	// Branches are the branches in file order: that of IF, of each ELSE IF, of ELSE.
	Branches []*Branch
	// OfStages is set for a block around whole stages.
	OfStages bool
	// Invalid is set if a line of the block is missing or misplaced. Its branches
	// are undecided.
	Invalid bool

	outer *Block
	holds contents
	// cut is the FROM of a stage that begins in a block of instructions. The block
	// ends there, wherever its ENDIF is.
	cut *Instruction
	// after is the ENDIF of the block of stages right above this block, or nil.
	// Instructions cannot follow it.
	after *Instruction
}

// Branch is one alternative of a block.
type Branch struct {
	Block *Block
	// Keyword is the IF or ELSE that begins the branch. Its Guard.If is the
	// branch's condition, and nil for an ELSE, which holds when no branch above
	// does.
	Keyword *Instruction
	// Outer is the branch that the block is nested in, or nil.
	Outer *Branch

	empty bool // no instruction of the branch was read yet
}

// contents is the kind of instructions that the branches of a block have.
type contents int

const (
	nothing contents = iota // so far
	instructions
	globals
	stages
)

// blocks is the state of the blocks at the current line.
type blocks struct {
	open   *Block  // the innermost open block, even if it was cut
	branch *Branch // the innermost open branch
	depth  int
	// tooDeep counts the open blocks beyond maxNesting, which are not parsed.
	tooDeep       int
	depthReported bool
	// mixed are the blocks that were cut and have an ENDIF, inner ones first.
	mixed []*Block
	// strayElse is set from an ELSE without an IF to its ENDIF.
	strayElse bool
	// after is the ENDIF of the block of stages that was closed last. It is nil
	// again once a stage begins.
	after *Instruction
}

// blockLine parses a line of a block.
func (r *reader) blockLine(in *Instruction) {
	r.file.IsStaged = true
	in.Branch = r.blocks.branch
	if in.block.suggestion != "" {
		r.report(in.text.span(in.head.word.start, in.head.word.end), UnknownInstruction,
			"unknown instruction "+in.keyword(), `did you mean "`+in.block.suggestion+`"?`)
	} else if in.block.noSpace {
		r.report(in.Span(), BlockSyntax, "IF and its condition need a space between them", "write a space before the condition")
	}
	switch {
	case in.block.line == ifLine:
		r.openBlock(in)
		r.blockCondition(in)
	case r.blocks.tooDeep > 0:
		if in.block.line == endifLine {
			r.blocks.tooDeep--
		}
	case r.blocks.open == nil:
		r.reportBlockWithoutIf(in)
	case in.block.line == endifLine:
		if in.block.rest.string != "" {
			r.report(in.Span(), BlockSyntax, "unexpected text after ENDIF", "write ENDIF alone on its line")
		}
		r.closeBlock(in)
	default:
		r.nextBranch(in)
	}
}

// reportBlockWithoutIf reports an ELSE or ENDIF that belongs to no block, once for an
// ELSE and its ENDIF. A misspelled keyword has been reported already.
func (r *reader) reportBlockWithoutIf(in *Instruction) {
	r.file.HasBlockErrors = true
	if !r.blocks.strayElse && in.block.suggestion == "" {
		r.report(in.Span(), BlockWithoutIf, in.keyword()+" has no IF above it", "write IF CONDITION where the block begins")
	}
	r.blocks.strayElse = in.block.line != endifLine
}

func (r *reader) openBlock(in *Instruction) {
	if r.blocks.depth == maxNesting {
		r.blocks.tooDeep++
		if !r.blocks.depthReported {
			r.report(in.Span(), BlockTooDeep, fmt.Sprintf("blocks are nested more than %d deep", maxNesting), "combine conditions with &&")
		}
		r.blocks.depthReported, r.file.HasBlockErrors = true, true
		return
	}
	r.blocks.depth++
	b := &Block{outer: r.blocks.open, after: r.blocks.after}
	branch := &Branch{Block: b, Keyword: in, Outer: r.blocks.branch, empty: true}
	b.Branches = []*Branch{branch}
	in.Opens = branch
	r.file.Blocks = append(r.file.Blocks, b)
	r.blocks.open, r.blocks.branch = b, branch
}

// nextBranch parses an ELSE or ELSE IF.
func (r *reader) nextBranch(in *Instruction) {
	b := r.blocks.open
	if b.cut != nil {
		return
	}
	first, last := b.Branches[0].Keyword, b.Branches[len(b.Branches)-1]
	in.Branch = last.Outer
	branch := &Branch{Block: b, Keyword: in, Outer: last.Outer, empty: true}
	in.Opens = branch
	b.Branches = append(b.Branches, branch)
	r.blocks.branch = branch
	r.blocks.after = b.after
	if b.holds == stages {
		r.endStage()
	}
	if last.Keyword.block.line == elseLine {
		b.Invalid = true
		r.report(in.Span(), BlockOrder, fmt.Sprintf("a branch follows the ELSE on line %d of the block that begins on line %d", last.Keyword.First, first.First),
			"move ELSE to the end of the block")
	}
	switch {
	case in.block.line == elseIfLine:
		r.blockCondition(in)
	case in.block.rest.string != "":
		b.Invalid = true
		r.report(in.Span(), BlockSyntax, "unexpected text after ELSE", "write ELSE, or ELSE IF CONDITION")
	}
}

func (r *reader) closeBlock(in *Instruction) {
	b := r.blocks.open
	r.blocks.open = b.outer
	r.blocks.depth--
	if b.cut != nil {
		r.blocks.mixed = append(r.blocks.mixed, b)
		return
	}
	in.Branch = b.Branches[0].Outer
	r.blocks.branch = in.Branch
	r.blocks.after = b.after
	if b.holds == stages {
		r.endStage()
		r.blocks.after = in
	}
	if b.outer != nil && in.Branch != nil && b.holds != nothing {
		in.Branch.empty = false
	}
}

// blockCondition parses the condition of an IF. Unlike a flag's, it is not unquoted.
func (r *reader) blockCondition(in *Instruction) {
	v := in.block.rest
	if v.string == "" {
		in.Invalid = true
		r.report(in.Span(), BlockSyntax, "IF has no condition", `write IF DEBUG, or IF TARGETARCH == "arm64"`)
		return
	}
	in.condition = &v
	in.Guard.If = r.condition(in, v)
}

// enter adds an instruction to the blocks around it, and checks that each block has
// one kind of contents.
func (r *reader) enter(in *Instruction) {
	kind := instructions
	switch {
	case in.Keyword == command.From:
		kind = stages
		r.cutBlocks(in)
	case len(r.file.Stages) == 0:
		kind = globals
	}
	in.Branch = r.blocks.branch
	if kind == stages {
		r.blocks.after = nil
	} else if end := r.blocks.after; end != nil {
		r.file.HasBlockErrors = true
		r.report(in.Span(), InstructionInVoid,
			fmt.Sprintf("%s belongs to no stage: the block of stages above ended with ENDIF on line %d", in.keyword(), end.First),
			"begin a stage with FROM")
		r.blocks.after = nil // report it once
	}
	for branch := in.Branch; branch != nil; branch = branch.Outer {
		r.enterBranch(in, branch, kind)
		if branch.Block.holds == stages && kind != stages {
			return // the instruction belongs to a stage in this branch
		}
	}
}

// cutBlocks ends the blocks of instructions that are open at a FROM: an ENDIF is missing
// above it, or the stage is misplaced.
func (r *reader) cutBlocks(from *Instruction) {
	var outermost *Block
	for b := r.blocks.open; b != nil; b = b.outer {
		if b.cut == nil && (b.holds == instructions || b.holds == globals) {
			outermost = b
		}
	}
	if outermost == nil {
		return
	}
	for b := r.blocks.open; b != outermost.outer; b = b.outer {
		if b.cut == nil {
			b.cut = from
		}
	}
	r.blocks.branch = outermost.Branches[0].Outer
}

func (r *reader) enterBranch(in *Instruction, branch *Branch, kind contents) {
	b := branch.Block
	if b.holds == nothing {
		b.holds = kind
		b.OfStages = kind == stages
	}
	first := branch.empty
	branch.empty = false
	if b.holds == stages && kind != stages && first {
		b.Invalid, r.file.HasBlockErrors = true, true
		r.report(in.Span(), MixedBlock,
			fmt.Sprintf("%s belongs to no stage: the block that begins on line %d contains stages", in.keyword(), b.Branches[0].Keyword.First),
			"begin each branch of the block with FROM")
	}
}

// String returns the contents for a message.
func (c contents) String() string {
	if c == globals {
		return "global args"
	}
	return "instructions"
}

// checkBlocks reports the blocks without an ENDIF, and the stages in blocks of
// instructions that do have one. If an open block encloses such a block, the missing
// ENDIF is the inner block's.
func (r *reader) checkBlocks() {
	mixed := r.blocks.mixed
	for b := r.blocks.open; b != nil && !r.unclosedHeredoc; b = b.outer {
		missing := b
		if i := slices.IndexFunc(mixed, func(m *Block) bool { return m.isIn(b) }); b.cut == nil && i >= 0 {
			missing = mixed[i]
			mixed = slices.Delete(mixed, i, i+1)
		}
		r.reportBlockWithoutEnd(missing)
	}
	reported := map[*Instruction]bool{}
	for _, b := range mixed {
		b.Invalid, r.file.HasBlockErrors = true, true
		if reported[b.cut] {
			continue
		}
		reported[b.cut] = true
		r.report(b.cut.Span(), MixedBlock,
			fmt.Sprintf("a stage begins inside a block of %s, which begins on line %d", b.holds, b.Branches[0].Keyword.First),
			"move ENDIF above this line; to make the stage conditional, write FROM --if=CONDITION")
	}
}

// isIn reports whether a block is nested in another one.
func (b *Block) isIn(outer *Block) bool {
	for b = b.outer; b != nil; b = b.outer {
		if b == outer {
			return true
		}
	}
	return false
}

func (r *reader) reportBlockWithoutEnd(b *Block) {
	b.Invalid, r.file.HasBlockErrors = true, true
	why := fmt.Sprintf("the file ends on line %d", r.file.Source.Lines())
	if b.cut != nil {
		why = fmt.Sprintf("a stage begins on line %d", b.cut.First)
	}
	r.report(b.Branches[0].Keyword.Span(), BlockWithoutEnd, "IF has no ENDIF: "+why, "write ENDIF where the block ends")
}

// rest returns the rest of the line from an offset on, as written.
func (in *Instruction) rest(start int) value {
	line := in.text.string
	for start < len(line) && isSpaceByte(line[start]) {
		start++
	}
	return literal(line, start, len(strings.TrimRight(line, " \t\r\f\v")))
}
