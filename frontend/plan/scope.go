package plan

import (
	"maps"
	"slices"

	"github.com/stagebuild/stagebuild/frontend/guard"
)

// scope maps names to their values at one place of the file. Scopes form a chain: the
// stage's own, that of the stage it is FROM, …, the global ARGs, the automatic args.
// Only the instructions that a scope belongs to change it.
type scope struct {
	parent *scope
	args   map[string]guard.Arg
	unset  map[string]bool // args that are declared without a value
	envs   map[string]bool
	// isStage is false for the global ARGs and the automatic args.
	isStage bool
	// isBare is set when the base image adds no variables: the chain ends at scratch.
	isBare bool
	// outside is the first scope of the chain that belongs to no stage. It saves
	// walking a long chain of stages.
	outside *scope
	// cache holds what was found in the parents, which do not change any more: the
	// stages of a long chain look up the same names.
	cache map[lookup]*scope
}

// lookup is the key of a scope's cache.
type lookup struct {
	name string
	envs bool // whether an ENV of the name counts, too
}

// Lookup implements guard.Scope.
func (s *scope) Lookup(name string) (guard.Arg, bool) {
	return lookUp(name, s.owner)
}

// read is Lookup without the cache, so it is safe for concurrent use once the plan is
// made.
func (s *scope) read(name string) (guard.Arg, bool) {
	return lookUp(name, s.search)
}

func lookUp(name string, owner func(lookup) *scope) (guard.Arg, bool) {
	if s := owner(lookup{name: name}); s != nil {
		return s.args[name], true
	}
	isEnv := owner(lookup{name: name, envs: true}) != nil
	return guard.Arg{IsEnv: isEnv}, isEnv
}

// owner returns the nearest scope that declares a name, or nil.
func (s *scope) owner(l lookup) *scope {
	if s.declares(l) {
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
		if s.declares(l) {
			return s
		}
		if known, ok := s.cache[l]; ok {
			return known
		}
	}
	return nil
}

func (s *scope) declares(l lookup) bool {
	if _, ok := s.args[l.name]; ok {
		return true
	}
	return l.envs && s.envs[l.name]
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
		c.outside = s.global()
	}
	return c
}

// trim returns s, or its parent when s declares nothing, which keeps chains short.
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

func (s *scope) setEnv(name string) {
	if s.envs == nil {
		s.envs = map[string]bool{}
	}
	s.envs[name] = true
}

// global returns the part of the chain that belongs to no stage.
func (s *scope) global() *scope {
	if s.isStage {
		return s.outside
	}
	return s
}
