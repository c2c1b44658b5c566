package plan

import (
	"strings"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Plan has all decisions about a file for one target platform: which instructions are
// kept, and which stage or image each reference means. It is immutable. For a plain file
// a Plan is only displayed; the build does not use it.
type Plan struct {
	File *syntax.File
	Env  Env
	// Platform is the target platform.
	Platform guard.Platform
	// Stages has one Choice for each of File.Stages.
	Stages []*Choice

	decisions   []guard.Decision // by Instruction.Index
	globals     *scope           // the global ARGs
	selected    int              // the number of selected stages
	diagnostics source.List      // the diagnostics of guards
}

// Decision returns whether an instruction is kept, and why. The lines IF, ELSE IF, ELSE
// and ENDIF are never kept. In an unreached stage, the decision can be undecided.
func (p *Plan) Decision(in *syntax.Instruction) guard.Decision {
	return p.decisions[in.Index]
}

// Global returns the value of a global ARG or of an automatic arg. It returns false for
// any other name.
func (p *Plan) Global(name string) (guard.Arg, bool) {
	return p.globals.read(name)
}

// AddsPlatform reports whether lowering adds a --platform flag to a FROM, because the
// base names a platform with ::.
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

// platformDiagnostic is diagnostic for a message that is limited to the plan's platform.
func (p *Plan) platformDiagnostic(span source.Span, name, message, detail, hint string) *source.Diagnostic {
	d := p.diagnostic(span, name, message, hint)
	d.Platform, d.Detail = guard.FormatPlatform(p.Platform), detail
	return d
}

// Choice is the outcome of one stage for one target platform.
type Choice struct {
	Stage *syntax.Stage
	// Plan is the plan that the choice belongs to.
	Plan *Plan
	// Decision has whether the stage is selected, and why.
	Decision guard.Decision
	// Edges are the stage's references in file order. The first one is the base.
	Edges []Edge
	// RunsOn is the platform of a selected stage's RUNs, which is the platform of the
	// base. If --platform is invalid, it is the target platform.
	RunsOn guard.Platform
	// Replaced reports whether a named context replaces the stage. A replaced stage has
	// no edges.
	Replaced bool

	scope      *scope       // the args at the end of the stage; nil if it is not linked
	position   int          // index among the selected stages
	base       *Base        // the image that the stage is FROM, or nil
	unresolved []Unresolved // the diagnostics of its invalid references
}

// Unresolved is the diagnostic of an invalid reference.
type Unresolved struct {
	*source.Diagnostic
	// Instruction is the instruction that contains the reference.
	Instruction *syntax.Instruction
}

// Position returns the 0-based number of a selected stage in the lowered file, where
// only the selected stages are left.
func (c *Choice) Position() int {
	return c.position
}

// hasNoBase reports whether lowering writes scratch as the base of a selected stage,
// because the meaning of its base is unknown: the stage is not linked, or a named context
// replaces it. BuildKit parses the base of every stage, and fails for name::PLATFORM.
func (c *Choice) hasNoBase() bool {
	_, _, hasPlatform := syntax.SplitPlatform(c.Stage.Base.Text)
	return c.Decision.Holds && (c.scope == nil || c.Replaced && hasPlatform)
}

// Arg returns the value of an arg at the end of the stage. It returns false unless the
// stage, a stage that it is FROM, or a global ARG declares the arg.
func (c *Choice) Arg(name string) (string, bool) {
	arg, ok := c.scope.read(name)
	return arg.Value, ok && !arg.IsEnv
}

// Inputs returns the cross-platform inputs that the stage is built from, directly or
// through other stages, each once. It leaves out the inputs of needed stages.
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

// Edge is a reference of a stage, with the stage, image or named context that it means.
type Edge struct {
	Reference *syntax.Reference
	// Name is the text of the reference without ::PLATFORM, its variables expanded.
	Name string
	// Stage is the selected stage that the reference means, in the plan of this or of
	// another platform. It is nil for an image or a named context.
	Stage *Choice
	// Input is the cross-platform input that supplies the stage or image. It is nil if
	// the reference needs none.
	Input *Input
	// Platform is the platform that the reference names with ::, or nil.
	Platform *guard.Platform
	// Context reports whether the reference means a named context.
	Context bool

	isNumber  bool // the name is a stage number, as in COPY --from=0
	isInvalid bool
	isTrigger bool // the reference comes from an ONBUILD of the base
}

// IsScratch reports whether the reference means scratch, the empty base.
func (e *Edge) IsScratch() bool {
	return e.Name == emptyImage && e.Stage == nil && e.Input == nil && !e.Context
}

// IsInvalid reports whether the reference means neither a stage, nor an image, nor a
// named context.
func (e *Edge) IsInvalid() bool { return e.isInvalid }

// inputFor returns the input that BuildKit needs to convert the stage with one of its
// edges, or nil. A base image needs no input, because lowering adds --platform to its
// FROM, unless the image has the name of a stage.
func (c *Choice) inputFor(e *Edge) *Input {
	isImage := e.Reference.Kind == syntax.FromBase && e.Stage == nil
	if isImage && (c.Plan.File.Group(e.Name) == nil || c.Stage.Name == strings.ToLower(e.Name)) {
		return nil
	}
	return e.Input
}

// Input is a cross-platform input: a stage or an image for another platform. It enters
// the conversion of its users as a named context.
type Input struct {
	// Name is the name of the named context.
	Name string
	// Stage is the stage of the other platform, or nil for an image.
	Stage *Choice
	// Image is the image reference, or "" for a stage.
	Image    string
	Platform guard.Platform
	// Reference is the first reference that means the input.
	Reference *syntax.Reference
}
