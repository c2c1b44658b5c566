package subrequest

import (
	"bytes"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/pb"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/llb"
)

// listTargets lists the selected stages of the first requested platform.
func (s *server) listTargets() (*targets.List, error) {
	if !s.File.IsStaged {
		return targetsOf(s.File.Source.Data)
	}
	platform := s.Env.Build
	if len(s.Requested) > 0 {
		platform = s.Requested[0]
	}
	available, err := plan.Available(s.File, s.Env, []guard.Platform{platform}, s.Target)
	if err != nil {
		return nil, err
	}
	t := available.Target(s.Target, 0) // its Choice is nil if the target is dropped
	list, err := targetsOf(plan.Lower(t.Plan))
	if err != nil {
		return nil, err
	}
	list.Sources = [][]byte{s.File.Source.Data}
	for i := range list.Targets {
		list.Targets[i].Default = t.Default != nil && i == t.Default.Position()
	}
	return list, nil
}

// targetsOf lists the stages of a plain Dockerfile, as ListTargets in BuildKit's
// dockerfile2llb/convert.go does. That function passes no linter to the parser, which
// panics where a comment configures one.
func targetsOf(dockerfile []byte) (*targets.List, error) {
	parsed, err := parser.Parse(bytes.NewReader(dockerfile))
	if err != nil {
		return nil, err
	}
	stages, _, err := instructions.Parse(parsed.AST, linter.New(&linter.Config{}))
	if err != nil {
		return nil, err
	}
	list := &targets.List{Sources: [][]byte{dockerfile}}
	for i, stage := range stages {
		list.Targets = append(list.Targets, targets.Target{
			Name:        stage.Name,
			Description: stage.DocComment,
			Default:     i == len(stages)-1,
			Base:        stage.BaseName,
			Platform:    stage.Platform,
			Location:    &pb.Location{Ranges: llb.Ranges(stage.Location)},
		})
	}
	return list, nil
}
