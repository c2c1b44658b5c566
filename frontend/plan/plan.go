package plan

import (
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Plan is what becomes of a file for one Env. It is immutable.
type Plan struct {
	File *syntax.File
	Env  Env
	// Stages has one Choice for each of File.Stages.
	Stages []*Choice
	// Target is the stage that is built, or nil when Env.Stage names none.
	Target *Choice
	// Default is the stage that is built when no target is named, or nil when it
	// is not there.
	Default *Choice
	// TargetName is the target to ask BuildKit for. It is "" when the last
	// stage of the lowered file is meant anyway.
	TargetName string

	globals []guard.Decision // one for each of File.Globals
}

// Choice is what becomes of one stage.
type Choice struct {
	Stage *syntax.Stage
	// Decision says whether the stage is selected, and if not, why.
	Decision guard.Decision
	// Body has one Decision for each of the stage's instructions. It is nil
	// for a stage that is not selected.
	Body []guard.Decision
	// Edges are what the stage is made from, in file order.
	Edges []Edge
	// Reached reports whether the target is made from the stage.
	Reached bool

	scope    *scope // what is declared at the stage's end
	position int    // index among the selected stages
}

// Position counts a selected stage among the selected ones, from 0: its place in
// the lowered file.
func (c *Choice) Position() int {
	return c.position
}

// Edge is a reference and what it means.
type Edge struct {
	Reference *syntax.Reference
	// Name is the reference's text with its variables expanded.
	Name string
	// Stage is the selected stage that is meant. It is nil for an image or a
	// named context.
	Stage *Choice
	// numeric is set for COPY --from=0, which counts stages.
	numeric bool
	// faulty is set for a reference that means nothing. It stands in a stage
	// that is not reached: elsewhere it is an error.
	faulty bool
	// triggered is set for a reference of an ONBUILD in the stage's base.
	triggered bool
}
