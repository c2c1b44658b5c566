package plan

import (
	"fmt"
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/command"

	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Declaration implements guard.Scope. The ARG that declares a name elsewhere is below, or
// in a stage that does not pass it on.
func (s *scope) Declaration(name string) (advice string, isElsewhere bool) {
	file := s.global().file
	own := file.Globals
	if s.stage != nil {
		own = s.stage.Body
	}
	if below := argNamed(name, own); below != nil && (s.stage != nil || !s.isStage) {
		return fmt.Sprintf("move the ARG on line %d above this line", below.First), true
	}
	for _, stage := range file.Stages {
		other := argNamed(name, stage.Body)
		switch {
		case other == nil:
		case s.isStage:
			return fmt.Sprintf("the ARG on line %d belongs to another stage; write ARG %s in this stage, or before the first FROM", other.First, name), true
		default:
			return fmt.Sprintf("the ARG on line %d belongs to a stage; write ARG %s before the first FROM", other.First, name), true
		}
	}
	if s.isStage {
		return "declare it above with ARG " + name, false
	}
	return "write ARG " + name + " before the first FROM", false
}

// argNamed returns the first ARG that declares a name, or nil.
func argNamed(name string, list []*syntax.Instruction) *syntax.Instruction {
	for _, in := range list {
		if in.Keyword == command.Arg && slices.ContainsFunc(in.Declarations, func(d syntax.Declaration) bool { return d.Name == name }) {
			return in
		}
	}
	return nil
}

// adviceFor returns how to declare or spell a name that is not in scope.
func (s *scope) adviceFor(name string) string {
	advice, isElsewhere := s.Declaration(name)
	if near := source.DidYouMean(name, s.Names()); near != "" && !isElsewhere {
		return near
	}
	return advice
}
