package plan

import (
	"strconv"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// addTriggers links the ONBUILD instructions of the stage that c is FROM. They look among
// all stages of the file, and are stored in an image: nothing in them is rewritten.
func (d *draft) addTriggers(c, base *Choice) {
	if base == nil {
		return
	}
	for _, in := range base.Stage.Body {
		if !base.Plan.Decision(in).Holds {
			continue
		}
		if in.Keyword == command.Onbuild {
			c.scope.isBare = false // The trigger can be an ENV.
		}
		for _, ref := range in.Triggered {
			if !ref.HasVariables() { // BuildKit refuses it.
				e, list := d.linker.trigger(ref, ref.Span())
				c.Edges = append(c.Edges, e)
				c.addUnresolved(in, list)
			}
		}
	}
}

// addImageTriggers links the ONBUILD triggers of the base image of a stage, if they are
// known. Their diagnostics point at the FROM.
func (d *draft) addImageTriggers(c *Choice) {
	if c.base == nil {
		return
	}
	for _, trigger := range d.triggers[c.base.Key()] {
		d.triggered = true
		for _, ref := range triggerReferences(trigger) {
			e, list := d.linker.trigger(ref, c.Stage.Base.Span())
			for _, d := range list {
				d.Message = "the base image has the trigger " + strconv.Quote("ONBUILD "+trigger) + ", and " + d.Message
			}
			c.Edges = append(c.Edges, e)
			c.addUnresolved(c.Stage.From, list)
		}
	}
}

// triggerReferences returns the references in a trigger. An image stores it as one
// instruction whose escape character is the backslash.
func triggerReferences(trigger string) []*syntax.Reference {
	// BuildKit reports syntax errors in it.
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
