package plan

import "strings"

// epochArg gives a result its time: in seconds, or as the name of a stage that adds
// one remote source, whose time it is (BuildKit's dockerfile2llb/epoch.go).
const epochArg = "SOURCE_DATE_EPOCH"

// buildContext is the value that means the build context, whatever stages there are.
const buildContext = "context"

// epochStages returns the selected stages that the arg names. BuildKit reads the
// first of them in every conversion, also in one of a stage that is not made from it.
func (p *Plan) epochStages() []*Choice {
	name, given := p.Env.Args[epochArg]
	if !given {
		global, _ := p.Global(epochArg)
		name = global.Value
	}
	if name == "" || name == buildContext {
		return nil
	}
	var stages []*Choice
	for _, c := range p.Stages {
		if c.Decision.Holds && strings.EqualFold(c.Stage.Name, name) {
			stages = append(stages, c)
		}
	}
	return stages
}

// read returns how many stages BuildKit reads although no reference of this platform
// leads to them: all of them for a trigger, or those down to the epoch's stage.
func (r *resolver) read() int {
	if r.triggered {
		return len(r.plan.Stages)
	}
	index := 0
	for _, c := range r.plan.epochStages() {
		index = c.Stage.Index + 1
	}
	return index
}
