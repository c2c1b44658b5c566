package plan

import (
	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// declare adds the names that an ARG or ENV declares to a scope. The name of a dropped
// ARG is declared without a value, unless another ARG gives it one. The value of an
// undecided ARG is invalid.
func (c *chooser) declare(in *syntax.Instruction, s *scope, decision guard.Decision) {
	switch in.Keyword {
	case command.Env:
		for _, d := range in.Declarations {
			s.setEnv(c.envName(d.Name, s))
		}
	case command.Arg:
		for _, d := range in.Declarations {
			switch {
			case decision.Holds:
				c.declareArg(d, s)
			case decision.IsUndecided():
				s.setArg(d.Name, guard.Arg{Invalid: true}, true)
			default:
				if _, known := s.Lookup(d.Name); !known {
					s.setArg(d.Name, guard.Arg{}, false)
				}
			}
		}
	}
}

// declareArg gives an arg its value as BuildKit does (buildMetaArgs and
// dispatchArg in dockerfile2llb/convert.go).
func (c *chooser) declareArg(d syntax.Declaration, s *scope) {
	if given, ok := c.plan.Env.Args[d.Name]; ok {
		s.setArg(d.Name, guard.Arg{Value: given}, true)
		return
	}
	if d.HasValue {
		s.setArg(d.Name, c.defaultValue(d.Value, s), true)
		return
	}
	if owner := s.global().owner(lookup{name: d.Name}); owner != nil && !owner.unset[d.Name] {
		s.setArg(d.Name, owner.args[d.Name], true)
		return
	}
	// Without a value of its own the arg keeps the value that the stage has.
	if owner := s.owner(lookup{name: d.Name}); owner != nil && owner.isStage {
		return
	}
	if owner := s.owner(lookup{name: d.Name, envs: true}); owner != nil && owner.isStage {
		s.setArg(d.Name, guard.Arg{IsEnv: true}, true)
		return
	}
	s.setArg(d.Name, guard.Arg{}, false)
}

// envName expands the name of an ENV, as BuildKit does.
func (c *chooser) envName(text string, s *scope) string {
	name, _, err := shell.NewLex(c.plan.File.Escape).ProcessWord(text, &getter{scope: s, stageOnly: true})
	if err != nil {
		return text // BuildKit refuses it.
	}
	return name
}

// defaultValue expands the default of an ARG. In a stage it can refer to a variable
// that only the build knows: an ENV, or a variable of the base image.
func (c *chooser) defaultValue(text string, s *scope) guard.Arg {
	env := &getter{scope: s, stageOnly: s.isStage}
	value, _, err := shell.NewLex(c.plan.File.Escape).ProcessWord(text, env)
	if err != nil {
		return guard.Arg{Unknown: text} // BuildKit refuses it.
	}
	return guard.Arg{Value: value, Unknown: env.unknown, Invalid: env.isInvalid}
}

// getter gives the values of a scope to BuildKit's shell lexer. It remembers the first
// reference to a variable whose value is unknown before the build.
type getter struct {
	scope *scope
	// stageOnly hides the global ARGs, which the ARGs of a stage do not see.
	stageOnly bool
	unknown   string
	isInvalid bool // whether one of the values is
}

// Get implements shell.EnvGetter.
func (g *getter) Get(name string) (string, bool) {
	owner := g.scope.owner(lookup{name: name, envs: true})
	switch {
	case owner == nil || g.stageOnly && !owner.isStage:
		if g.stageOnly {
			g.keep("$" + name)
		}
		return "", false
	case owner.envs[name] || owner.args[name].IsEnv:
		g.keep("$" + name)
		return "", true
	case g.stageOnly && owner.unset[name] && !g.scope.isBare:
		g.keep("$" + name) // It does not shadow a variable of the base image.
		return "", false
	}
	arg := owner.args[name]
	g.isInvalid = g.isInvalid || arg.Invalid
	if arg.Unknown != "" {
		g.keep(arg.Unknown)
	}
	return arg.Value, !owner.unset[name]
}

func (g *getter) keep(reference string) {
	if g.unknown == "" {
		g.unknown = reference
	}
}

// Keys implements shell.EnvGetter.
func (g *getter) Keys() []string {
	return g.scope.Names()
}
