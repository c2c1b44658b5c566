package plan

import (
	"slices"
	"strconv"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Names of the diagnostics about choices and references.
const (
	NoVariant        = "NoVariant"
	DroppedTarget    = "DroppedTarget"
	DroppedStage     = "DroppedStage"
	StageBelow       = "StageBelow"
	InvalidReference = "InvalidReference"
	EmptyReference   = "EmptyReference"
	PlatformConflict = "PlatformConflict"
	UnknownStage     = "UnknownStage"
)

// linker finds out what the references of a plan mean. It changes nothing in the plan:
// it returns edges, and the diagnostics of invalid references. These count once it is
// known that a stage is reached.
type linker struct {
	planner *planner
	plan    *Plan
}

// link returns the edge of a reference in a stage.
func (l *linker) link(c *Choice, ref *syntax.Reference, s *scope) (Edge, source.List) {
	e := Edge{Reference: ref, Name: ref.Text}
	if ref.HasVariables() {
		var list source.List
		if e.Name, e.isInvalid, list = l.expand(ref, s); e.isInvalid {
			return e, list
		}
	}
	if name, platform, ok := syntax.SplitPlatform(e.Name); ok {
		e.Name = name
		return l.linkCross(c, e, platform)
	}
	if ref.Kind == syntax.FromBase {
		e.Context = l.plan.hasContext(c.Stage, e.Name)
	} else {
		e.Context = l.plan.Env.hasContext(e.Name, l.plan.Platform)
	}
	if e.Context {
		return e, nil
	}
	if n, ok := stageNumber(e.Name); ok && ref.Kind == syntax.CopyFrom {
		e.isNumber = true
		var list source.List
		e.Stage, e.isInvalid, list = l.byNumber(ref.Span(), n)
		return e, list
	}
	var list source.List
	if e.Stage = l.plan.above(ref.Kind, e.Name, c.Stage.Index); e.Stage == nil {
		e.isInvalid, list = l.checkImage(l.plan, c, e)
	}
	return e, list
}

// byNumber returns the stage of COPY --from=0, which counts the stages as written.
func (l *linker) byNumber(at source.Span, n int) (stage *Choice, isInvalid bool, list source.List) {
	if n < 0 || n >= len(l.plan.Stages) {
		return nil, false, nil // BuildKit refuses it.
	}
	stage = l.plan.Stages[n]
	switch {
	case stage.Decision.Holds:
		return stage, false, nil
	case stage.Decision.IsUndecided():
		return nil, true, nil
	}
	return nil, true, source.List{l.plan.diagnostic(at, DroppedStage,
		"stage "+strconv.Itoa(n)+", on line "+strconv.Itoa(stage.Stage.From.First)+", is dropped for "+l.plan.platformName()+": "+stage.Decision.Reason,
		"refer to a stage by name: its variants share one")}
}

// stageNumber returns the number in a COPY --from=0.
func stageNumber(name string) (int, bool) {
	n, err := strconv.Atoi(name)
	return n, err == nil
}

// find returns the stage that a name means for the stage at an index: the last selected
// one of the name above it, or nil.
func (p *Plan) find(name string, index int) *Choice {
	group := p.File.Group(name)
	if group == nil {
		return nil
	}
	for _, s := range slices.Backward(group.Stages) {
		if c := p.Stages[s.Index]; s.Index < index && c.Decision.Holds {
			return c
		}
	}
	return nil
}

// above returns the stage that a reference of some kind means in the stage at an index,
// or nil. Of stages that share a name without guards, files come from the last one in the
// file, and other references mean the last one above (buildStageDependencyGraph and
// addState in BuildKit's dockerfile2llb/convert.go).
func (p *Plan) above(kind syntax.ReferenceKind, name string, index int) *Choice {
	if kind != syntax.CopyFrom && kind != syntax.MountFrom {
		return p.find(name, index)
	}
	if c := p.find(name, len(p.Stages)); c != nil && c.Stage.Index < index {
		return c
	}
	return nil
}

// runsOn returns the platform of a stage's RUNs.
func (l *linker) runsOn(c *Choice, base Edge) guard.Platform {
	switch {
	case base.Input != nil:
		return base.Input.Platform
	case base.Stage != nil:
		return base.Stage.RunsOn
	case c.Stage.Platform != "":
		if p, ok := l.plan.stagePlatform(c.Stage); ok {
			return p
		}
	}
	return l.plan.Platform
}

// baseImage returns the image that a stage is FROM, or nil when it is FROM a stage or
// from scratch, when a named context replaces a stage as its base, or when the
// platform of the image is unknown.
func (l *linker) baseImage(c *Choice, base Edge) *Base {
	isContext := l.plan.File.Group(base.Name) != nil && l.plan.hasContext(c.Stage, base.Name)
	if base.Stage != nil || isContext || base.isInvalid || base.Name == emptyImage {
		return nil
	}
	platform, ok := l.plan.Platform, true
	switch {
	case base.Input != nil:
		platform = base.Input.Platform
	case c.Stage.Platform != "":
		platform, ok = l.plan.stagePlatform(c.Stage)
	}
	if !ok {
		return nil
	}
	return &Base{Image: base.Name, Platform: platform}
}

// stagePlatform returns the platform of a stage's --platform flag. It is false for one
// that is invalid, which BuildKit refuses.
func (p *Plan) stagePlatform(s *syntax.Stage) (guard.Platform, bool) {
	env := &getter{scope: p.globals}
	text, _, err := shell.NewLex(p.File.Escape).ProcessWord(s.Platform, env)
	if err != nil || env.isInvalid {
		return guard.Platform{}, false
	}
	platform, err := platforms.Parse(text)
	return platform, err == nil
}

// hasContext reports whether a named context replaces a stage, or the base of a stage,
// for the platform that its FROM names (buildDispatchStates and resolveBaseImage in
// BuildKit's dockerfile2llb/convert.go).
func (p *Plan) hasContext(s *syntax.Stage, name string) bool {
	platform := p.Platform
	if len(p.Env.Contexts) > 0 && s.Platform != "" {
		if given, ok := p.stagePlatform(s); ok {
			platform = given
		}
	}
	return p.Env.hasContext(name, platform)
}
