package plan

import "strings"

// epochArg gives the results of a build their time: in seconds, or as the name of a
// stage that adds one remote source with that time (BuildKit's dockerfile2llb/epoch.go).
const epochArg = "SOURCE_DATE_EPOCH"

// buildContext is the value that means the build context, also if a stage has the name.
const buildContext = "context"

// epochStages returns the selected stages that the arg names. BuildKit reads the first of
// them in every conversion, also in that of a stage which does not use it.
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
