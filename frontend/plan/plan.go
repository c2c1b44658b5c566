package plan

import (
	"strings"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Plan is what becomes of a file for one platform. It is immutable. One of a file
// that does not use the language is for looking at: such a file is built without.
type Plan struct {
	File *syntax.File
	Env  Env
	// Platform is the target platform.
	Platform guard.Platform
	// Stages has one Choice for each of File.Stages.
	Stages []*Choice

	decisions []guard.Decision // by Instruction.Index
	globals   *scope
}

// Decision says whether an instruction is there, and if not, why. Lines of blocks
// never are. In a stage that no target is made from, it can be undecided.
func (p *Plan) Decision(in *syntax.Instruction) guard.Decision {
	return p.decisions[in.Index]
}

// Global returns the value of a global ARG or of an automatic arg. It is false for
// one that the file does not declare.
func (p *Plan) Global(name string) (guard.Arg, bool) {
	return p.globals.read(name)
}

// AddsPlatform reports whether lowering adds a --platform flag to a FROM, because its
// base is for a platform of its own.
func (p *Plan) AddsPlatform(from *syntax.Instruction) bool {
	for _, c := range p.Stages {
		if c.Stage.From == from && c.Stage.Platform == "" && len(c.Edges) > 0 {
			return c.Edges[0].Input != nil
		}
	}
	return false
}

// Target is a plan, and the stage of it that is built.
type Target struct {
	*Plan
	// Choice is what becomes of that stage, or nil when there is none of its name.
	Choice *Choice
	// Default is the stage that is built when none is named, or nil when it is not
	// there.
	Default *Choice
	// Name is the target to ask BuildKit for. It is "" when the last stage of the
	// lowered file is meant anyway.
	Name string
	// Unreached are the problems of references in stages that no target of the set is
	// made from. They stop no build.
	Unreached source.List
}

// Choice is what becomes of one stage for one platform.
type Choice struct {
	Stage *syntax.Stage
	// Plan is the plan of the platform.
	Plan *Plan
	// Decision says whether the stage is selected, and if not, why.
	Decision guard.Decision
	// Edges are what the stage is made from and what it needs, in file order.
	Edges []Edge
	// RunsOn is the platform of the stage's RUNs, for a selected stage: that of its
	// base. It is the target's where --platform cannot be read.
	RunsOn guard.Platform
	// Replaced reports whether a named context stands for the stage. It is made
	// from nothing of the file then.
	Replaced bool

	scope    *scope // what is declared at the stage's end
	position int    // index among the selected stages
	base     *Base  // the image that the stage is FROM, or nil
}

// Position counts a selected stage among the selected ones, from 0: its place in
// the lowered file.
func (c *Choice) Position() int {
	return c.position
}

// hasNoBase reports whether it was not asked what a selected stage is FROM: a named
// context stands for the stage, or it stands below all that is built for a platform
// which only references name. BuildKit, which reads the bases of all stages, cannot
// read one that is meant for a platform.
func (c *Choice) hasNoBase() bool {
	_, _, platform := syntax.SplitPlatform(c.Stage.Base.Text)
	return c.Decision.Holds && (c.scope == nil || c.Replaced && platform)
}

// Arg returns the value that an ARG of the stage, of one that it is FROM or of the
// globals has at the stage's end. It is false for one that is not declared.
func (c *Choice) Arg(name string) (string, bool) {
	arg, ok := c.scope.read(name)
	return arg.Value, ok && !arg.IsEnv
}

// Edge is a reference and what it means.
type Edge struct {
	Reference *syntax.Reference
	// Name is the reference's text with its variables expanded, and without a
	// platform.
	Name string
	// Stage is the selected stage that is meant, of this platform or of another.
	// It is nil for an image or a named context.
	Stage *Choice
	// Input is how the stage or image gets into the conversion when it is meant
	// for a platform of its own, and otherwise nil.
	Input *Input
	// Platform is the one that the reference names with ::, or nil.
	Platform *guard.Platform
	// Context reports whether a named context is meant.
	Context bool

	// numeric is set for COPY --from=0, which counts stages.
	numeric bool
	// faulty is set for a reference that means nothing. It stands in a stage
	// that is not reached: elsewhere it is an error.
	faulty bool
	// triggered is set for a reference of an ONBUILD in the stage's base.
	triggered bool
}

// IsScratch reports whether the reference means scratch, which is no image and holds
// nothing.
func (e Edge) IsScratch() bool {
	return e.Name == emptyImage && e.Stage == nil && e.Input == nil && !e.Context
}

// IsInvalid reports whether the reference has a diagnostic: it means neither a stage,
// nor an image, nor a named context.
func (e Edge) IsInvalid() bool { return e.faulty }

// supplied returns the input that enters the conversion for an edge of the stage, or nil.
// An image needs none in a FROM, which asks for the platform itself, unless the image's name
// would mean a stage there.
func (c *Choice) supplied(e Edge) *Input {
	isImage := e.Reference.Kind == syntax.FromBase && e.Stage == nil
	if isImage && (c.Plan.File.Group(e.Name) == nil || c.Stage.Name == strings.ToLower(e.Name)) {
		return nil
	}
	return e.Input
}

// Inputs returns all that the stage is made from as it is for a platform of its own,
// each once. What it needs is not among it.
func (c *Choice) Inputs() []*Input {
	var inputs []*Input
	stages, seen := map[*Choice]bool{nil: true}, map[*Input]bool{nil: true}
	var visit func(*Choice)
	visit = func(c *Choice) {
		if stages[c] {
			return
		}
		stages[c] = true
		for _, e := range c.Edges {
			if e.Reference.Kind == syntax.Needs {
				continue
			}
			visit(e.Stage)
			if !seen[e.Input] {
				seen[e.Input] = true
				inputs = append(inputs, e.Input)
			}
		}
	}
	visit(c)
	return inputs
}

// Input is a stage or an image for a platform of its own. It enters the
// conversion of what refers to it as a named context.
type Input struct {
	// Name is the named context's.
	Name string
	// Stage is nil for an image.
	Stage *Choice
	// Image is the image's reference, or "".
	Image    string
	Platform guard.Platform
	// Reference is the first one that means the input.
	Reference *syntax.Reference
}
