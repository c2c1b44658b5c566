package plan

import (
	"crypto/sha256"
	"fmt"

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

// near returns the name of a stage that word is a typo away from, or "".
func (p *planner) near(word string) string {
	if p.typos == nil {
		p.typos = newTypos(p.file.StageNames())
	}
	return p.typos.near(word)
}

// input returns the input for a stage, or else for an image, on a platform.
func (p *planner) input(ref *syntax.Reference, stage *Choice, image string, platform guard.Platform) *Input {
	subject := inputSubject(ref, image)
	if stage != nil {
		subject = fmt.Sprintf("stage%d", stage.Stage.Index)
	}
	// The domain does not exist, so that nothing can be pulled by this name.
	name := "stagebuild.invalid/" + subject + "/" + guard.PlatformName(platform)
	in := p.inputs[name]
	if in == nil {
		in = &Input{Name: name, Stage: stage, Image: image, Platform: platform, Reference: ref}
		p.inputs[name] = in
	}
	return in
}

// inputSubject returns the part of an input's name that identifies an image: the
// instruction, and the image itself if the instruction can name several.
func inputSubject(ref *syntax.Reference, image string) string {
	subject := fmt.Sprintf("image%d", ref.Instruction.Index)
	if refs := ref.Instruction.References; ref.HasVariables() || len(refs) > 0 && ref != refs[0] {
		sum := sha256.Sum256([]byte(image))
		subject += fmt.Sprintf("-%x", sum[:4])
	}
	return subject
}
