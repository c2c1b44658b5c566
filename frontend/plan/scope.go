package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// scope maps the names of args to their values at one place in the file. Scopes form a
// chain: the stage, the stage that it is FROM, …, the global ARGs, the automatic args. Only
// the instructions of the stage itself change its scope.
type scope struct {
	parent *scope
	args   map[string]guard.Arg
	unset  map[string]bool // the args that are declared without a value
	envs   map[string]int  // the names that ENV sets, with the line, which is 0 for a base image
	// isStage is false for the global ARGs and the automatic args.
	isStage bool
	// stage is the stage that the scope belongs to. It is nil outside stages, and for the
	// scope of a stage whose base is invalid.
	stage *syntax.Stage
	// file is set in the scope of the global ARGs.
	file *syntax.File
	// isBare is true if the base image sets no variables, because the chain of bases
	// ends at scratch.
	isBare bool
	// globals is the first scope of the chain that belongs to no stage. Keeping it
	// avoids a walk along a long chain of stages.
	globals *scope
	// cache holds the owners that were found in the parents. These do not change any
	// more, and the stages of a long chain look up the same names.
	cache map[lookup]*scope
}

// lookup is the key of a scope's cache.
type lookup struct {
	name string
	envs bool // an ENV of the name counts, too
}

// Lookup implements guard.Scope.
func (s *scope) Lookup(name string) (guard.Arg, bool) {
	return lookUp(name, s.owner)
}

// read is Lookup without adding to the cache, so it is safe for concurrent use once the
// plan is finished.
func (s *scope) read(name string) (guard.Arg, bool) {
	return lookUp(name, s.search)
}

func lookUp(name string, owner func(lookup) *scope) (guard.Arg, bool) {
	if s := owner(lookup{name: name}); s != nil {
		return s.args[name], true
	}
	if s := owner(lookup{name: name, envs: true}); s != nil {
		return guard.Arg{IsEnv: true, EnvLine: s.envs[name]}, true
	}
	return guard.Arg{}, false
}

// owner returns the nearest scope that declares a name, or nil.
func (s *scope) owner(l lookup) *scope {
	if s.hasName(l) {
		return s
	}
	owner := s.search(l)
	if s.cache == nil {
		s.cache = map[lookup]*scope{}
	}
	s.cache[l] = owner
	return owner
}

// search is owner without adding to the cache.
func (s *scope) search(l lookup) *scope {
	for ; s != nil; s = s.parent {
		if s.hasName(l) {
			return s
		}
		if known, ok := s.cache[l]; ok {
			return known
		}
	}
	return nil
}

func (s *scope) hasName(l lookup) bool {
	if _, ok := s.args[l.name]; ok {
		return true
	}
	_, isEnv := s.envs[l.name]
	return l.envs && isEnv
}

// Names implements guard.Scope.
func (s *scope) Names() []string {
	set := map[string]bool{}
	for ; s != nil; s = s.parent {
		for name := range s.args {
			set[name] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// child returns an empty scope whose parent is s.
func (s *scope) child(isStage bool) *scope {
	c := &scope{parent: s, isStage: isStage}
	if isStage {
		c.globals = s.global()
	}
	return c
}

// trim returns s, or its parent if s declares nothing. It keeps chains short.
func (s *scope) trim() *scope {
	if len(s.args) == 0 && len(s.envs) == 0 && s.parent.isStage && s.parent.isBare == s.isBare {
		return s.parent
	}
	return s
}

func (s *scope) setArg(name string, arg guard.Arg, hasValue bool) {
	if s.args == nil {
		s.args = map[string]guard.Arg{}
	}
	s.args[name] = arg
	delete(s.envs, name)
	if hasValue {
		delete(s.unset, name)
		return
	}
	if s.unset == nil {
		s.unset = map[string]bool{}
	}
	s.unset[name] = true
}

// setEnv adds a name that the ENV on a line sets.
func (s *scope) setEnv(name string, line int) {
	if s.envs == nil {
		s.envs = map[string]int{}
	}
	s.envs[name] = line
}

// envLine returns the line of the ENV that sets a name, or 0 if the base image sets it.
func (s *scope) envLine(name string) int {
	if arg := s.args[name]; arg.IsEnv {
		return arg.EnvLine
	}
	return s.envs[name]
}

// global returns the part of the chain that belongs to no stage.
func (s *scope) global() *scope {
	if s.isStage {
		return s.globals
	}
	return s
}

// targetStage is the automatic arg whose value is the name of the target stage.
const targetStage = "TARGETSTAGE"

// automatic returns the automatic args, which need no declaration (defaultArgs in
// BuildKit's dockerfile2llb/platform.go). A build arg of the same name overrides one.
func (e Env) automatic(target guard.Platform, stage string) map[string]guard.Arg {
	if stage == "" {
		stage = "default"
	}
	values := map[string]string{
		"BUILDPLATFORM":   platforms.Format(e.Build),
		"BUILDOS":         e.Build.OS,
		"BUILDOSVERSION":  e.Build.OSVersion,
		"BUILDARCH":       e.Build.Architecture,
		"BUILDVARIANT":    e.Build.Variant,
		"TARGETPLATFORM":  platforms.FormatAll(target),
		"TARGETOS":        target.OS,
		"TARGETOSVERSION": target.OSVersion,
		"TARGETARCH":      target.Architecture,
		"TARGETVARIANT":   target.Variant,
		targetStage:       stage,
	}
	args := make(map[string]guard.Arg, len(values))
	for name, value := range values {
		given, ok := e.Args[name]
		if ok {
			value = given
		}
		args[name] = guard.Arg{Value: value, IsAutomatic: !ok}
	}
	return args
}

// Globals returns the global ARGs and the automatic args with their values, for a target
// platform and the default target.
func Globals(file *syntax.File, env Env, platform guard.Platform) guard.Scope {
	return newPlanner(file, env, Request{}).draft(platform).plan.globals
}

// declare adds the names of an ARG or ENV to a scope. A dropped ARG declares its name
// without a value, unless the name is known already. An undecided ARG declares it with an
// invalid value.
func (c *chooser) declare(in *syntax.Instruction, s *scope, decision guard.Decision) {
	switch in.Keyword {
	case command.Env:
		for _, d := range in.Declarations {
			s.setEnv(c.envName(d.Name, s), in.First)
		}
	case command.Arg:
		for _, d := range in.Declarations {
			switch {
			case decision.Holds:
				c.declareArg(in, d, s)
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

// declareArg declares an arg with the value that BuildKit would give it (buildMetaArgs and
// dispatchArg in dockerfile2llb/convert.go).
func (c *chooser) declareArg(in *syntax.Instruction, d syntax.Declaration, s *scope) {
	if given, ok := c.plan.Env.Args[d.Name]; ok {
		s.setArg(d.Name, guard.Arg{Value: given}, true)
		return
	}
	if d.HasValue {
		s.setArg(d.Name, c.defaultValue(in, d, s), true)
		return
	}
	if owner := s.global().owner(lookup{name: d.Name}); owner != nil && !owner.unset[d.Name] {
		s.setArg(d.Name, owner.args[d.Name], true)
		return
	}
	// An ARG without a value keeps the value that the stage has.
	if owner := s.owner(lookup{name: d.Name}); owner != nil && owner.isStage {
		return
	}
	if owner := s.owner(lookup{name: d.Name, envs: true}); owner != nil && owner.isStage {
		s.setArg(d.Name, guard.Arg{IsEnv: true, EnvLine: owner.envLine(d.Name)}, true)
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

// defaultValue expands the default of an ARG. In a stage, a default can refer to a variable
// that is known only during the build: an ENV, or a variable of the base image.
func (c *chooser) defaultValue(in *syntax.Instruction, d syntax.Declaration, s *scope) guard.Arg {
	env := &getter{scope: s, stageOnly: s.isStage, arg: d.Name, line: in.First}
	value, _, err := shell.NewLex(c.plan.File.Escape).ProcessWord(d.Value, env)
	if err != nil {
		return guard.Arg{Unknown: guard.Unknown{Variable: d.Value}} // BuildKit refuses it.
	}
	return guard.Arg{Value: value, Unknown: env.unknown, Invalid: env.isInvalid}
}

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
