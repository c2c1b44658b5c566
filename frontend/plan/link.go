package plan

import (
	"strconv"

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

// trigger returns the edge of a reference in an ONBUILD trigger, with its diagnostics at
// a given place.
func (l *linker) trigger(ref *syntax.Reference, at source.Span) (Edge, source.List) {
	e := Edge{Reference: ref, Name: ref.Text, isTrigger: true}
	if e.Context = l.plan.Env.hasContext(e.Name, l.plan.Platform); e.Context {
		return e, nil
	}
	if n, ok := stageNumber(e.Name); ok && ref.Kind == syntax.CopyFrom {
		return l.triggerNumber(e, n, at)
	}
	if e.Stage = l.plan.find(e.Name, len(l.plan.Stages)); e.Stage != nil {
		return e, nil
	}
	if group := l.plan.File.Group(e.Name); group != nil {
		e.isInvalid = true
		return e, l.plan.noVariant(group, at)
	}
	return e, nil
}

// triggerNumber is trigger for COPY --from=0. The number counts the stages of the
// lowered file, so it has to be the same in the file as written.
func (l *linker) triggerNumber(e Edge, n int, at source.Span) (Edge, source.List) {
	var list source.List
	e.Stage, e.isInvalid, list = l.byNumber(at, n)
	if e.Stage == nil || e.Stage.position == n {
		return e, list
	}
	e.Stage, e.isInvalid = nil, true
	for _, c := range l.plan.Stages {
		if c.Decision.IsUndecided() {
			return e, nil // its position is not known
		}
	}
	return e, source.List{l.plan.diagnostic(at, DroppedStage,
		"a trigger counts the selected stages, and stage "+e.Name+" is another one of these for "+l.plan.platformName(),
		"refer to the stage by name")}
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
