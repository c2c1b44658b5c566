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

// planner makes the plans of one request: those of the target platforms, and those of
// the platforms that references name.
type planner struct {
	file     *syntax.File
	env      Env
	stage    string // the target stage's name, or "" for the default
	triggers Triggers
	drafts   map[instance]*draft
	order    []*draft // in the order in which they were begun
	inputs   map[string]*Input
	typos    typos // made on first use
}

func newPlanner(file *syntax.File, env Env, req Request) *planner {
	return &planner{
		file: file, env: env, stage: req.Stage, triggers: req.Triggers,
		drafts: map[instance]*draft{}, inputs: map[string]*Input{},
	}
}

// draft returns the draft of a platform, with its stages chosen.
func (p *planner) draft(platform guard.Platform) *draft {
	key := instance{p.file, guard.FormatPlatform(platform)}
	if d, ok := p.drafts[key]; ok {
		return d
	}
	d := newDraft(p, platform)
	p.drafts[key] = d
	p.order = append(p.order, d)
	d.chooser.globals(p.stage)
	d.chooser.stages()
	d.inherited = d.plan.globals.child(true)
	return d
}

// finish plans the file for some target platforms and all that these refer to.
func (p *planner) finish(targets []guard.Platform) *resolution {
	for _, platform := range targets {
		p.draft(platform)
	}
	// Linking a stage can begin the draft of another platform, and link the stages
	// above it there.
	for _, platform := range targets {
		p.draft(platform).linkTo(len(p.file.Stages))
	}
	for linked := true; linked; {
		linked = false
		for _, d := range p.order {
			linked = d.linkTo(d.converted()) || linked
		}
	}
	r := &resolution{file: p.file, triggers: p.triggers, byInstance: map[instance]*Plan{}}
	for _, d := range p.order {
		r.plans = append(r.plans, d.plan)
		r.byInstance[instance{p.file, guard.FormatPlatform(d.plan.Platform)}] = d.plan
	}
	return r
}

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
