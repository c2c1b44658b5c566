package frontend

import (
	"bytes"
	"cmp"
	"fmt"
	"strconv"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/llb"
)

// loweredFiles are the plain Dockerfiles of a decision.
type loweredFiles struct {
	// targets has one file for each platform of the decision.
	targets []llb.Input
	// needs are the needed stages.
	needs []neededFile
	// inputs are the cross-platform inputs, each after those that it uses itself.
	inputs []inputFile
}

// neededFile is the file of a needed stage.
type neededFile struct {
	llb.Input
	// stage is its quoted name for errors.
	stage string
}

// inputFile is the file of a cross-platform input.
type inputFile struct {
	*plan.Input
	// file is empty for an image: whether a named context replaces the image is only
	// known when it is converted.
	file llb.Input
}

// lower returns the plain Dockerfiles of a decision. It passes a plain Dockerfile on
// unchanged.
func lower(req *request, d *decision) *loweredFiles {
	files := &loweredFiles{}
	if d.set == nil {
		for _, platform := range d.platforms {
			files.targets = append(files.targets, llb.Input{Dockerfile: req.file.Source.Data, Target: req.Target, Platform: platform})
		}
		return files
	}
	l := &lowering{target: req.Target, set: d.set, texts: map[*plan.Plan][]byte{}}
	for i, t := range d.set.Targets {
		files.targets = append(files.targets, l.targetFile(t, d.platforms[i]))
	}
	for _, c := range d.set.Needs {
		files.needs = append(files.needs, neededFile{l.partFile(c), neededName(d.set, c)})
	}
	for _, in := range d.set.Inputs {
		file := inputFile{Input: in}
		if in.Stage != nil {
			file.file = l.partFile(in.Stage)
		}
		files.inputs = append(files.inputs, file)
	}
	return files
}

// lowering lowers the plans of one set.
type lowering struct {
	target string // the requested target stage
	set    *plan.Set
	texts  map[*plan.Plan][]byte // several stages share the text of a plan
}

// text returns the lowered text of a plan.
func (l *lowering) text(p *plan.Plan) []byte {
	if l.texts[p] == nil {
		l.texts[p] = plan.Lower(p)
	}
	return l.texts[p]
}

// stageText returns the lowered text to build a stage from. If ONBUILD triggers name
// stages, BuildKit converts every stage of the text, so the text contains only the stage
// and its dependencies.
func (l *lowering) stageText(c *plan.Choice) []byte {
	if l.set.HasTriggers {
		return plan.LowerStage(c)
	}
	return l.text(c.Plan)
}

// targetFile returns the file of a target.
func (l *lowering) targetFile(t *plan.Target, platform *ocispecs.Platform) llb.Input {
	file := llb.Input{AllStages: l.set.HasTriggers, Target: t.Name, Platform: platform, Names: l.names(t.Plan)}
	if t.Choice != nil {
		file.Dockerfile = l.stageText(t.Choice)
	} else {
		file.Dockerfile = l.text(t.Plan)
	}
	return file
}

// defaultStage is the value of TARGETSTAGE for a target without a name
// (defaultArgs in BuildKit's dockerfile2llb/platform.go).
const defaultStage = "default"

// partFile returns the file of a stage that is built beside the target. Its TARGETSTAGE is
// the name of the target.
func (l *lowering) partFile(c *plan.Choice) llb.Input {
	stages := c.Plan.File.Stages
	target := cmp.Or(l.target, stages[len(stages)-1].Name, defaultStage)
	return llb.Input{
		Dockerfile: until(l.stageText(c), c), AllStages: l.set.HasTriggers, Target: c.Stage.Name, Platform: &c.Plan.Platform,
		TargetStage: target, Part: true, Names: l.names(c.Plan),
	}
}

// until returns a lowered file up to the next stage with the name of c, because BuildKit
// builds the last stage of a name.
func until(text []byte, c *plan.Choice) []byte {
	for _, next := range c.Plan.Stages[c.Stage.Index+1:] {
		if next.Decision.Holds && next.Stage.Name == c.Stage.Name {
			lines := bytes.SplitAfter(text, []byte{'\n'})
			return bytes.Join(lines[:next.Stage.From.First-1], nil)
		}
	}
	return text
}

// names returns the names that progress shows in place of those in the lowered file: a
// variant has its line ("base (line 12)"), a stage without a name its number in the
// user's file ("stage-2"), and a cross-platform input the reference that the user wrote.
func (l *lowering) names(p *plan.Plan) llb.Names {
	names := llb.Names{Stages: map[string]string{}, References: map[string]string{}}
	for _, in := range l.set.Inputs {
		name := in.Image
		if in.Stage != nil {
			name = in.Stage.Stage.Name
		}
		names.References[in.Name] = name + "::" + guard.FormatPlatform(in.Platform)
	}
	for _, c := range p.Stages {
		if !c.Decision.Holds {
			continue
		}
		name := c.Stage.Name
		switch {
		case name == "":
			names.Stages[fmt.Sprintf("stage-%d", c.Position())] = fmt.Sprintf("stage-%d", c.Stage.Index)
		case len(p.File.Group(name).Stages) > 1 && p.File.Group(name).IsGuarded():
			names.Stages[name] = fmt.Sprintf("%s (line %d)", name, c.Stage.From.First)
		}
	}
	return names
}

// neededName returns the quoted name of a needed stage for errors, with its platform
// unless the request has only that one.
func neededName(set *plan.Set, c *plan.Choice) string {
	name := strconv.Quote(c.Stage.Name)
	if len(set.Targets) == 1 && c.Plan == set.Targets[0].Plan {
		return name
	}
	return name + " for " + guard.FormatPlatform(c.Plan.Platform)
}
