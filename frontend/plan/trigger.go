package plan

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/moby/buildkit/frontend/dockerfile/command"

	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// addTriggers links the triggers of the stage that c is FROM. A trigger can refer to every
// stage of the file. It is stored in an image, so lowering does not rewrite it.
func (d *draft) addTriggers(c, base *Choice) {
	if base == nil {
		return
	}
	for _, in := range base.Stage.Body {
		if !base.Plan.Decision(in).Holds {
			continue
		}
		if in.Keyword == command.Onbuild {
			c.scope.isBare = false // The trigger may be an ENV.
		}
		for _, ref := range in.Triggered {
			if !ref.HasVariables() { // BuildKit refuses variables.
				e, list := d.linker.linkTrigger(ref, ref.Span())
				c.Edges = append(c.Edges, e)
				c.addUnresolved(in, list)
			}
		}
	}
}

// addImageTriggers links the triggers of a stage's base image, if they are known. Their
// diagnostics point at the FROM.
func (d *draft) addImageTriggers(c *Choice) {
	if c.base == nil {
		return
	}
	for _, trigger := range d.triggers[c.base.Key()] {
		d.triggered = true
		for _, ref := range triggerReferences(trigger) {
			e, list := d.linker.linkTrigger(ref, c.Stage.Base.Span())
			for _, d := range list {
				d.Message = "in the trigger " + strconv.Quote("ONBUILD "+trigger) + " of the base image: " + d.Message
			}
			c.Edges = append(c.Edges, e)
			c.addUnresolved(c.Stage.From, list)
		}
	}
}

// triggerReferences returns the references in a trigger of an image. An image stores a
// trigger as one instruction whose escape character is the backslash.
func triggerReferences(trigger string) []*syntax.Reference {
	// BuildKit reports the syntax errors of a trigger.
	file, _ := syntax.Parse(source.NewFile("trigger", []byte("FROM scratch\nONBUILD "+trigger)))
	var refs []*syntax.Reference
	for _, s := range file.Stages {
		for _, in := range s.Body {
			for _, ref := range in.Triggered {
				if !ref.HasVariables() {
					refs = append(refs, ref)
				}
			}
		}
	}
	return refs
}

// linkTrigger returns the edge of a reference in a trigger. Its diagnostics have the span
// at.
func (l *linker) linkTrigger(ref *syntax.Reference, at source.Span) (Edge, source.List) {
	e := Edge{Reference: ref, Name: ref.Text, isTrigger: true}
	if e.Context = l.plan.Env.hasContext(e.Name, l.plan.Platform); e.Context {
		return e, nil
	}
	if n, ok := stageNumber(e.Name); ok && ref.Kind == syntax.CopyFrom {
		return l.linkTriggerNumber(e, n, at)
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

// linkTriggerNumber is linkTrigger for COPY --from=0. Lowering does not rewrite the number
// in a trigger, so it must mean the same stage in the lowered file.
func (l *linker) linkTriggerNumber(e Edge, n int, at source.Span) (Edge, source.List) {
	var list source.List
	e.Stage, e.isInvalid, list = l.stageByNumber(at, n)
	stage := e.Stage
	if stage == nil || stage.position == n {
		return e, list
	}
	e.Stage, e.isInvalid = nil, true
	for _, c := range l.plan.Stages {
		if c.Decision.IsUndecided() {
			return e, nil // The position of the stage is unknown.
		}
	}
	return e, source.List{l.plan.platformDiagnostic(at, DroppedStage,
		"ONBUILD COPY --from="+e.Name+" would copy from another stage",
		fmt.Sprintf("a stage above stage %d (line %d) is dropped, and a trigger counts only the selected stages", n, stage.Stage.From.First),
		"write --from="+cmp.Or(stage.Stage.Name, "NAME, and AS NAME on line "+strconv.Itoa(stage.Stage.From.First)))}
}
