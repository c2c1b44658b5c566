package plan

import (
	"fmt"
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

// linker finds the stage, image or named context that each reference of a plan means. It
// does not change the plan: it returns edges, and the diagnostics of invalid references.
// Callers keep the diagnostics until they know which stages are reached.
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
		e.Stage, e.isInvalid, list = l.stageByNumber(ref.Span(), n)
		return e, list
	}
	var list source.List
	if e.Stage = l.plan.above(ref.Kind, e.Name, c.Stage.Index); e.Stage == nil {
		e.isInvalid, list = l.checkImage(l.plan, c, e)
	}
	return e, list
}

// stageByNumber returns the stage with a 0-based number, as in COPY --from=0. The number
// counts the stages of the staged Dockerfile, dropped ones included.
func (l *linker) stageByNumber(at source.Span, n int) (stage *Choice, isInvalid bool, list source.List) {
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
	return nil, true, source.List{l.plan.platformDiagnostic(at, DroppedStage,
		fmt.Sprintf("stage %d (line %d) is dropped", n, stage.Stage.From.First), stage.Decision.Reason,
		"refer to the stage by its name, which all variants share")}
}

// stageNumber parses a stage number, as in COPY --from=0.
func stageNumber(name string) (int, bool) {
	n, err := strconv.Atoi(name)
	return n, err == nil
}

// find returns the last selected stage of a name above the stage at an index, or nil.
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

// above returns the stage that a reference in the stage at an index means, or nil if no
// such stage is above. If stages without guards share a name, COPY --from and RUN
// --mount=from mean the last one in the file, and other references the last one above
// (buildStageDependencyGraph and addState in BuildKit's dockerfile2llb/convert.go).
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

// baseImage returns the image that a stage is FROM. It returns nil if the base is a stage,
// scratch, or a named context that replaces a stage, or if the platform of the image is
// unknown.
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

// stagePlatform returns the platform of a stage's --platform flag. It returns false for an
// invalid platform, which BuildKit refuses.
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
