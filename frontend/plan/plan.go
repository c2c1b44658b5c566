package plan

import (
	"strings"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Plan is the outcome of a file for one platform: which instructions are kept, and what
// references mean. It is immutable. For a plain file a Plan is only displayed; the build
// does not use it.
type Plan struct {
	File *syntax.File
	Env  Env
	// Platform is the target platform.
	Platform guard.Platform
	// Stages has one Choice for each of File.Stages.
	Stages []*Choice

	decisions   []guard.Decision // by Instruction.Index
	globals     *scope
	selected    int         // how many stages are selected
	diagnostics source.List // those of guards
}

// Decision tells whether an instruction is kept, and why. Lines of blocks never are. In
// a stage that is not reached, a decision can be undecided.
func (p *Plan) Decision(in *syntax.Instruction) guard.Decision {
	return p.decisions[in.Index]
}

// Global returns the value of a global ARG or of an automatic arg. It is false for a
// name that the file does not declare.
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

func (p *Plan) diagnostic(span source.Span, name, message, hint string) *source.Diagnostic {
	return &source.Diagnostic{Name: name, Span: span, Message: message, Hint: hint}
}

func (p *Plan) platformName() string {
	return guard.FormatPlatform(p.Platform)
}

// Choice is the outcome of one stage for one platform.
type Choice struct {
	Stage *syntax.Stage
	// Plan is the plan of the platform.
	Plan *Plan
	// Decision tells whether the stage is selected, and why.
	Decision guard.Decision
	// Edges are the stage's references, in file order: its base first.
	Edges []Edge
	// RunsOn is the platform of the stage's RUNs, for a selected stage: that of its
	// base. It is the target platform when --platform is invalid.
	RunsOn guard.Platform
	// Replaced reports whether a named context replaces the stage. The stage has no
	// edges then.
	Replaced bool

	scope      *scope       // the names at the stage's end, nil for a stage that is not linked
	position   int          // index among the selected stages
	base       *Base        // the image that the stage is FROM, or nil
	unresolved []Unresolved // its invalid references
}

// Unresolved is the diagnostic of an invalid reference.
type Unresolved struct {
	*source.Diagnostic
	// Instruction is the one that the diagnostic is about.
	Instruction *syntax.Instruction
}

// Position counts a selected stage among the selected ones, from 0: its place in
// the lowered file.
func (c *Choice) Position() int {
	return c.position
}

// hasNoBase reports whether the lowered file has scratch as the base of a selected
// stage. BuildKit reads the bases of all stages, and cannot read one with a platform.
// The base is not known when a named context replaces the stage, or when the stage is
// below all stages that are built for a platform which only references name.
func (c *Choice) hasNoBase() bool {
	_, _, hasPlatform := syntax.SplitPlatform(c.Stage.Base.Text)
	return c.Decision.Holds && (c.scope == nil || c.Replaced && hasPlatform)
}

// Arg returns the value of an arg at the stage's end: of the stage, of a stage that it
// is FROM, or a global one. It is false for an arg that is not declared.
func (c *Choice) Arg(name string) (string, bool) {
	arg, ok := c.scope.read(name)
	return arg.Value, ok && !arg.IsEnv
}

// Inputs returns the cross-platform inputs that the stage is made from, directly or
// through other stages, each once. Needed stages do not count.
func (c *Choice) Inputs() []*Input {
	var inputs []*Input
	seen := map[*Input]bool{nil: true}
	for _, e := range newWalk(isDependency).From(c) {
		if e != nil && isDependency(e) && !seen[e.Input] {
			seen[e.Input] = true
			inputs = append(inputs, e.Input)
		}
	}
	return inputs
}

func (c *Choice) addUnresolved(in *syntax.Instruction, list source.List) {
	for _, d := range list {
		c.unresolved = append(c.unresolved, Unresolved{Diagnostic: d, Instruction: in})
	}
}

// Edge is a reference of a stage, and what it means.
type Edge struct {
	Reference *syntax.Reference
	// Name is the reference's text with its variables expanded, without a platform.
	Name string
	// Stage is the selected stage that the reference means, of this platform or of
	// another. It is nil for an image or a named context.
	Stage *Choice
	// Input is the cross-platform input that supplies the stage or image, or nil.
	Input *Input
	// Platform is the one that the reference names with ::, or nil.
	Platform *guard.Platform
	// Context reports whether the reference means a named context.
	Context bool

	isNumber  bool // COPY --from=0, which counts stages
	isInvalid bool
	isTrigger bool // the reference of an ONBUILD in the stage's base
}

// IsScratch reports whether the reference means scratch, the empty base.
func (e *Edge) IsScratch() bool {
	return e.Name == emptyImage && e.Stage == nil && e.Input == nil && !e.Context
}

// IsInvalid reports whether the reference has a diagnostic: it means neither a stage,
// nor an image, nor a named context.
func (e *Edge) IsInvalid() bool { return e.isInvalid }

// supplied returns the input that the conversion of a stage needs for one of its edges,
// or nil. An image in FROM needs none, because its --platform gives the platform, unless
// the image's name would mean a stage there.
func (c *Choice) supplied(e *Edge) *Input {
	isImage := e.Reference.Kind == syntax.FromBase && e.Stage == nil
	if isImage && (c.Plan.File.Group(e.Name) == nil || c.Stage.Name == strings.ToLower(e.Name)) {
		return nil
	}
	return e.Input
}

// Input is a cross-platform input: a stage or an image for another platform. It enters
// the conversion of its users as a named context.
type Input struct {
	// Name is the name of the context.
	Name string
	// Stage is nil for an image.
	Stage *Choice
	// Image is the image's reference, or "".
	Image    string
	Platform guard.Platform
	// Reference is the first one that means the input.
	Reference *syntax.Reference
}
