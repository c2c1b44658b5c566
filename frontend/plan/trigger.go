package plan

import (
	"strconv"

	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// imageTriggers resolves what the ONBUILD triggers of a stage's base image name, as
// far as the triggers are known. They run in the stage and look among all stages of
// its file. Faults are reported at the FROM.
func (r *resolver) imageTriggers(c *Choice) {
	if len(c.Edges) == 0 {
		return
	}
	base := c.Edges[0]
	// Where a named context stands for a stage, nothing is triggered.
	isStage := base.Stage != nil || r.plan.File.Group(base.Name) != nil && r.hasContext(c.Stage, base.Name)
	if isStage || base.faulty || base.Name == emptyImage {
		return
	}
	platform, ok := r.plan.Platform, true
	switch {
	case base.Input != nil:
		platform = base.Input.Platform
	case c.Stage.Platform != "":
		platform, ok = r.stagePlatform(c.Stage)
	}
	if !ok {
		return
	}
	for _, trigger := range r.plan.Env.Triggers(base.Name, platform) {
		r.upTo(len(r.plan.Stages)) // the trigger can mean stages below
		known := len(r.problems[c])
		for _, ref := range triggerReferences(trigger) {
			c.Edges = append(c.Edges, r.trigger(c, ref, c.Stage.Base.Span()))
		}
		for _, d := range r.problems[c][known:] {
			d.Message = "the base image has the trigger " + strconv.Quote("ONBUILD "+trigger) + ", and " + d.Message
		}
	}
}

// triggerReferences returns what a trigger names, as an image has it: one
// instruction with a backslash for the escape character.
func triggerReferences(trigger string) []*syntax.Reference {
	// What is wrong with it, BuildKit says.
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
