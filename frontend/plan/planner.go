package plan

import (
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// instance identifies a plan: a file, planned for one platform.
type instance struct {
	file     *syntax.File
	platform string // as guard.FormatPlatform
}

// planner makes the plans of one request, for its target platforms and for the platforms
// that references name with ::.
type planner struct {
	file     *syntax.File
	env      Env
	stage    string // the name of the target stage, or "" for the default target
	triggers Triggers
	drafts   map[instance]*draft
	order    []*draft          // the drafts in order of creation
	inputs   map[string]*Input // by name
	typos    typos             // the index of stage names, built on first use
}

func newPlanner(file *syntax.File, env Env, req Request) *planner {
	return &planner{
		file: file, env: env, stage: req.Stage, triggers: req.Triggers,
		drafts: map[instance]*draft{}, inputs: map[string]*Input{},
	}
}

// draft returns the draft of a platform. It creates the draft on first use, and selects
// the stages in it.
func (p *planner) draft(platform guard.Platform) *draft {
	key := instance{p.file, guard.FormatPlatform(platform)}
	if d, ok := p.drafts[key]; ok {
		return d
	}
	d := newDraft(p, platform)
	p.drafts[key] = d
	p.order = append(p.order, d)
	d.chooser.chooseGlobals(p.stage)
	d.chooser.chooseStages()
	d.inherited = d.plan.globals.child(true)
	return d
}

// resolve plans the file for the target platforms, and for the platforms that their
// references name.
func (p *planner) resolve(targets []guard.Platform) *resolution {
	for _, platform := range targets {
		p.draft(platform)
	}
	// Linking a stage can create the draft of another platform, and link the stages
	// above the same stage there.
	for _, platform := range targets {
		p.draft(platform).linkTo(len(p.file.Stages))
	}
	for linked := true; linked; {
		linked = false
		for _, d := range p.order {
			linked = d.linkTo(d.convertedStages()) || linked
		}
	}
	r := &resolution{file: p.file, triggers: p.triggers, byInstance: map[instance]*Plan{}}
	for _, d := range p.order {
		r.plans = append(r.plans, d.plan)
		r.byInstance[instance{p.file, guard.FormatPlatform(d.plan.Platform)}] = d.plan
	}
	return r
}

// draft is a plan in the making. It links the stages in file order, because a stage
// inherits the args of the stage that it is FROM.
type draft struct {
	plan      *Plan
	chooser   *chooser
	linker    *linker
	triggers  Triggers
	next      int  // index of the first stage that is not linked
	triggered bool // a base image has triggers, which can refer to stages below
	// inherited declares the args of all linked stages with invalid values. It is the
	// scope of a stage whose base is invalid, because such a stage may inherit any of
	// them.
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

// convertedStages returns the number of stages, from the top of the file, that BuildKit
// converts even if no reference leads to them: all of them if there are triggers,
// otherwise those down to the stage of SOURCE_DATE_EPOCH.
func (d *draft) convertedStages() int {
	if d.triggered {
		return len(d.plan.Stages)
	}
	n := 0
	for _, c := range d.plan.epochStages() {
		n = c.Stage.Index + 1
	}
	return n
}

// linkTo links the stages above an index, and reports whether it linked any. The drafts
// of two platforms can call each other, so linkTo moves next forward before it links a
// stage: no stage is linked twice.
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

// linkStage links a selected stage and decides which of its instructions are kept.
func (d *draft) linkStage(c *Choice) {
	base := d.addEdge(c, c.Stage.Base, d.plan.globals)
	for _, ref := range c.Stage.From.References {
		d.addEdge(c, ref, d.plan.globals)
	}
	c.RunsOn = d.linker.runsOn(c, base)
	c.scope = d.scopeOf(c, base)
	d.addTriggers(c, base.Stage)
	for _, in := range c.Stage.Body {
		if !d.chooser.decideInstruction(in, c.scope) {
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

// addEdge links a reference, and adds the edge and its diagnostics to the stage.
func (d *draft) addEdge(c *Choice, ref *syntax.Reference, s *scope) Edge {
	e, list := d.linker.link(c, ref, s)
	c.Edges = append(c.Edges, e)
	c.addUnresolved(ref.Instruction, list)
	return e
}

// scopeOf returns the scope at the start of a stage whose base is known.
func (d *draft) scopeOf(c *Choice, base Edge) *scope {
	parent := d.plan.globals
	switch {
	case base.isInvalid:
		parent = d.inherited // The inherited args are unknown.
	case base.Stage != nil && base.Input == nil:
		// A stage for another platform is a named context, which passes on no ARGs.
		parent = base.Stage.scope
	}
	s := parent.child(true)
	s.isBare, s.stage = parent.isBare, c.Stage
	if base.IsScratch() {
		s.isBare = true
		s.setEnv("PATH", 0) // emptyImage in dockerfile2llb/image.go
	}
	return s
}
