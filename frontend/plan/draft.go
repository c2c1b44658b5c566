package plan

import (
	"strconv"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// draft is a plan that is being made. It links the stages of the file in order: a stage
// inherits the args of the stage that it is FROM.
type draft struct {
	plan      *Plan
	chooser   *chooser
	linker    *linker
	triggers  Triggers
	next      int  // the first stage that is not linked
	triggered bool // whether a base image has triggers, which can name stages below
	// inherited has the args of all stages that are linked, with invalid values: a
	// stage can inherit them on some platform.
	inherited *scope
}

func newDraft(p *planner, platform guard.Platform) *draft {
	plan := &Plan{
		File: p.file, Env: p.env, Platform: platform,
		decisions: make([]guard.Decision, len(p.file.Instructions)),
	}
	return &draft{
		plan: plan, chooser: newChooser(plan), linker: &linker{planner: p, plan: plan}, triggers: p.triggers,
	}
}

// converted returns how many stages BuildKit converts although no reference of this
// platform may lead to them: all of them if there are triggers, or else those down to
// the stage of SOURCE_DATE_EPOCH.
func (d *draft) converted() int {
	if d.triggered {
		return len(d.plan.Stages)
	}
	n := 0
	for _, c := range d.plan.epochStages() {
		n = c.Stage.Index + 1
	}
	return n
}

// linkTo links the stages above an index, and reports whether there were any to link. It
// links none twice: the drafts of two platforms call each other for the stages that
// are above the user.
func (d *draft) linkTo(index int) bool {
	from := d.next
	for d.next < index {
		c := d.plan.Stages[d.next]
		d.next++
		for _, in := range c.Stage.Body {
			d.chooser.declare(in, d.inherited, guard.Decision{})
		}
		switch {
		case !c.Decision.Holds:
			d.chooser.reportUnknownNames(c.Stage.Body, d.inherited)
		case d.plan.hasContext(c.Stage, c.Stage.Name):
			c.Replaced = true
			c.RunsOn = d.plan.Platform
			c.scope = d.plan.globals.child(true)
			d.chooser.reportUnknownNames(c.Stage.Body, d.inherited)
		default:
			d.linkStage(c)
		}
	}
	return d.next > from
}

// linkStage links a selected stage, and decides about its instructions.
func (d *draft) linkStage(c *Choice) {
	base := d.addEdge(c, c.Stage.Base, d.plan.globals)
	for _, ref := range c.Stage.From.References {
		d.addEdge(c, ref, d.plan.globals)
	}
	c.RunsOn = d.linker.runsOn(c, base)
	c.scope = d.scopeOf(base)
	d.addTriggers(c, base.Stage)
	for _, in := range c.Stage.Body {
		if !d.chooser.instruction(in, c.scope) {
			continue
		}
		for _, ref := range in.References {
			d.addEdge(c, ref, c.scope)
		}
	}
	c.base = d.linker.baseImage(c, base)
	d.addImageTriggers(c)
	c.scope = c.scope.trim()
}

// addEdge adds what a reference means to its stage.
func (d *draft) addEdge(c *Choice, ref *syntax.Reference, s *scope) Edge {
	e, list := d.linker.link(c, ref, s)
	c.Edges = append(c.Edges, e)
	c.addUnresolved(ref.Instruction, list)
	return e
}

func (c *Choice) addUnresolved(in *syntax.Instruction, list source.List) {
	for _, d := range list {
		c.unresolved = append(c.unresolved, Unresolved{Diagnostic: d, Instruction: in})
	}
}

// scopeOf returns the scope of a stage with a base.
func (d *draft) scopeOf(base Edge) *scope {
	parent := d.plan.globals
	switch {
	case base.isInvalid:
		parent = d.inherited // The inherited args are unknown.
	case base.Stage != nil && base.Input == nil:
		// ARGs of a stage for another platform are not inherited.
		parent = base.Stage.scope
	}
	s := parent.child(true)
	s.isBare = parent.isBare
	if base.IsScratch() {
		s.isBare = true
		s.setEnv("PATH") // emptyImage in dockerfile2llb/image.go
	}
	return s
}

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
