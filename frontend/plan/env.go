// Package plan decides, for one target platform and one set of build args, which
// stages and instructions of a staged Dockerfile there are and what its
// references mean, and lowers it to a plain Dockerfile with the same lines. All
// of it is pure: the same input gives the same output on any machine.
package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/stagebuild/stagebuild/frontend/guard"
)

// Env is the part of a build's environment that plans depend on. It is the same for
// all target platforms and stages of a request.
type Env struct {
	// Build is the build platform: the one that the builder runs on.
	Build guard.Platform
	// Args are the build args given from outside. They are only read.
	Args map[string]string
	// Contexts are the named contexts that were given, by their names in lower
	// case: "base", or "base::linux/arm64" for one platform. A named context
	// always wins over a stage or an image of its name.
	Contexts map[string]bool
}

// hasContext reports whether a named context stands for a name on a platform
// (NamedContext in BuildKit's dockerui/config.go).
func (e Env) hasContext(name string, platform guard.Platform) bool {
	if len(e.Contexts) == 0 || name == "" {
		return false
	}
	name = strings.ToLower(name)
	return e.Contexts[name] || e.Contexts[name+"::"+guard.FormatPlatform(platform)]
}

// automatic returns the args that need no declaration (defaultArgs in BuildKit's
// dockerfile2llb/platform.go). A build arg of the same name overrides one.
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
		if given, ok := e.Args[name]; ok {
			value = given
		}
		args[name] = guard.Arg{Value: value}
	}
	return args
}

// scope gives names their values at one place in the file. Scopes form a chain:
// a stage's own, that of the stage it is FROM, …, the globals, the automatic args.
// A scope is changed only while the instructions that it is of are resolved.
type scope struct {
	parent *scope
	args   map[string]guard.Arg
	unset  map[string]bool // args that are declared and have no value
	envs   map[string]bool
	// stage is false for the globals and the automatic args.
	stage bool
	// bare is set in a stage that has no variables but those that the file gives
	// it, since its chain ends at scratch.
	bare bool
	// outside is where the chain leaves the stages, for the scope of a stage: a
	// long chain is not walked for it.
	outside *scope
	// found remembers what was looked up in the parents, which do not change
	// any more: the stages of a long chain look for the same names.
	found map[lookup]*scope
}

// lookup is a question to a scope.
type lookup struct {
	name string
	envs bool // whether an ENV answers it as an ARG does
}

// Lookup implements guard.Scope.
func (s *scope) Lookup(name string) (guard.Arg, bool) {
	return lookUp(name, s.owner)
}

// read is Lookup, and changes nothing: what is resolved is read by many at once.
func (s *scope) read(name string) (guard.Arg, bool) {
	return lookUp(name, s.search)
}

func lookUp(name string, owner func(lookup) *scope) (guard.Arg, bool) {
	if s := owner(lookup{name: name}); s != nil {
		return s.args[name], true
	}
	env := owner(lookup{name: name, envs: true}) != nil
	return guard.Arg{IsEnv: env}, env
}

// owner returns the nearest scope that declares a name, or nil.
func (s *scope) owner(l lookup) *scope {
	if s.declares(l) {
		return s
	}
	owner := s.search(l)
	if s.found == nil {
		s.found = map[lookup]*scope{}
	}
	s.found[l] = owner
	return owner
}

// search is owner, and remembers nothing.
func (s *scope) search(l lookup) *scope {
	for ; s != nil; s = s.parent {
		if s.declares(l) {
			return s
		}
		if known, ok := s.found[l]; ok {
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

// child returns a scope for what comes below s.
func (s *scope) child(stage bool) *scope {
	c := &scope{parent: s, stage: stage}
	if stage {
		c.outside = s.global()
	}
	return c
}

// trim returns s, or its parent when s declares nothing: chains stay short.
func (s *scope) trim() *scope {
	if len(s.args) == 0 && len(s.envs) == 0 && s.parent.stage && s.parent.bare == s.bare {
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

// global returns the part of the chain that lies outside of any stage.
func (s *scope) global() *scope {
	if s.stage {
		return s.outside
	}
	return s
}
