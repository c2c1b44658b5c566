package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Names of the diagnostics about choices and references.
const (
	NoVariant        = "NoVariant"
	DroppedTarget    = "DroppedTarget"
	DroppedStage     = "DroppedStage"
	StageBelow       = "StageBelow"
	InvalidReference = "InvalidReference"
	EmptyReference   = "EmptyReference"
	PlatformConflict = "PlatformConflict"
	UnknownStage     = "UnknownStage"
)

// resolver resolves a file for one platform.
type resolver struct {
	family      *family
	plan        *Plan
	scope       *scope // the globals
	declared    *scope // every name of the stages so far, with faulty values
	blocks      map[*syntax.Block]outcome
	diagnostics source.List
	problems    map[*Choice]source.List
	selected    int
	next        int  // the first stage that is not resolved yet
	triggered   bool // whether a base image has triggers, which can name stages below
}

// globals resolves the instructions before the first FROM.
func (r *resolver) globals() {
	stages := r.plan.File.Stages
	stage := r.family.stage
	if stage == "" && len(stages) > 0 {
		stage = stages[len(stages)-1].Name
	}
	automatic := &scope{args: r.plan.Env.automatic(r.plan.Platform, stage)}
	r.scope = automatic.child(false)
	r.plan.globals = r.scope
	for _, in := range r.plan.File.Globals {
		r.instruction(in, r.scope)
	}
}

// instruction decides about one instruction, and declares what it declares.
func (r *resolver) instruction(in *syntax.Instruction, s *scope) bool {
	if in.IsBlock() {
		r.blockLine(in, s)
		return false
	}
	d := r.within(in.Branch, s)
	if d.Holds {
		d = d.And(r.decide(in, s))
	} else {
		r.checkNames(in, s)
	}
	r.plan.decisions[in.Index] = d
	r.declare(in, s, d)
	return d.Holds
}

// decide evaluates an instruction's guard. A fault is reported, and leaves it
// undecided.
func (r *resolver) decide(in *syntax.Instruction, s *scope) guard.Decision {
	if in.Guard.IsZero() && !in.Invalid {
		return guard.Decision{Holds: true}
	}
	if !r.checkNames(in, s) {
		return guard.Decision{}
	}
	d, err := in.Guard.Eval(r.plan.Platform, s)
	if err != nil {
		r.reportGuard(in, err.(*guard.Error)) //nolint:errorlint // Eval documents its type
	}
	return d
}

// checkNames reports the names of a condition that the scope does not know. It
// returns whether the condition can be evaluated.
func (r *resolver) checkNames(in *syntax.Instruction, s *scope) bool {
	condition := in.Guard.If
	if condition == nil {
		return !in.Invalid
	}
	errs := condition.Check(s)
	for _, err := range errs {
		r.reportGuard(in, err)
	}
	return len(errs) == 0 && !in.Invalid && condition.IsDecidable(s)
}

// declare adds what an ARG or ENV declares to a scope. An ARG that is dropped
// stays declared, without a value, unless another one gave it one. The value of one
// that is undecided is faulty.
func (r *resolver) declare(in *syntax.Instruction, s *scope, decision guard.Decision) {
	switch in.Keyword {
	case command.Env:
		for _, d := range in.Declarations {
			s.setEnv(r.envName(d.Name, s))
		}
	case command.Arg:
		for _, d := range in.Declarations {
			switch {
			case decision.Holds:
				r.declareArg(d, s)
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
func (r *resolver) declareArg(d syntax.Declaration, s *scope) {
	if given, ok := r.plan.Env.Args[d.Name]; ok {
		s.setArg(d.Name, guard.Arg{Value: given}, true)
		return
	}
	if d.HasValue {
		s.setArg(d.Name, r.defaultValue(d.Value, s), true)
		return
	}
	if owner := s.global().owner(lookup{name: d.Name}); owner != nil && !owner.unset[d.Name] {
		s.setArg(d.Name, owner.args[d.Name], true)
		return
	}
	// Without a value of its own the arg keeps what the stage has.
	if owner := s.owner(lookup{name: d.Name}); owner != nil && owner.stage {
		return
	}
	if owner := s.owner(lookup{name: d.Name, envs: true}); owner != nil && owner.stage {
		s.setArg(d.Name, guard.Arg{IsEnv: true}, true)
		return
	}
	s.setArg(d.Name, guard.Arg{}, false)
}

// choose selects the stages: of each name the first whose guard holds.
func (r *resolver) choose() {
	for _, block := range r.plan.File.Blocks {
		if block.OfStages {
			r.block(block, r.scope)
		}
	}
	taken := map[*syntax.Group]*syntax.Stage{}
	undecided := map[*syntax.Group]bool{}
	for _, s := range r.plan.File.Stages {
		c := &Choice{Stage: s, Plan: r.plan}
		r.plan.Stages = append(r.plan.Stages, c)
		var group *syntax.Group
		if s.Name != "" {
			group = r.plan.File.Group(s.Name)
		}
		c.Decision = r.within(s.From.Branch, r.scope)
		first := taken[group]
		switch {
		case !c.Decision.Holds:
			r.checkNames(s.From, r.scope)
		case group != nil && first != nil:
			r.checkNames(s.From, r.scope)
			c.Decision = guard.Decision{Reason: fmt.Sprintf("the variant on line %d was chosen", first.From.First)}
		case group != nil && undecided[group]:
			// Perhaps the one above should have been chosen.
			r.checkNames(s.From, r.scope)
			c.Decision = guard.Decision{}
		default:
			c.Decision = c.Decision.And(r.decide(s.From, r.scope))
		}
		undecided[group] = undecided[group] || c.Decision.IsUndecided()
		// A named context stands for the stage, whichever variant it would be:
		// one has to be there for BuildKit to put the context in its place.
		if r.hasContext(s, s.Name) && group.IsGuarded() && taken[group] == nil && s == group.Stages[len(group.Stages)-1] {
			c.Decision = guard.Decision{Holds: true}
		}
		r.plan.decisions[s.From.Index] = c.Decision
		if !c.Decision.Holds {
			continue
		}
		c.position = r.selected
		r.selected++
		if group != nil && group.IsGuarded() {
			taken[group] = s
		}
	}
}

// upTo resolves what the stages above an index are made from, and their
// instructions. It resolves none twice: a stage for another platform is asked for
// while stages of this one are resolved, and the other way round. One that a named
// context stands for is made from nothing of the file.
func (r *resolver) upTo(index int) bool {
	from := r.next
	for r.next < index {
		c := r.plan.Stages[r.next]
		r.next++
		for _, in := range c.Stage.Body {
			r.declare(in, r.declared, guard.Decision{})
		}
		switch {
		case !c.Decision.Holds:
			r.checkDropped(c)
		case r.hasContext(c.Stage, c.Stage.Name):
			c.Replaced = true
			c.RunsOn = r.plan.Platform
			c.scope = r.scope.child(true)
			r.checkDropped(c)
		default:
			r.stage(c)
		}
	}
	return r.next > from
}

// stage resolves a stage that is selected.
func (r *resolver) stage(c *Choice) {
	base := r.edge(c, c.Stage.Base, r.scope)
	c.Edges = append(c.Edges, base)
	for _, ref := range c.Stage.From.References {
		c.Edges = append(c.Edges, r.edge(c, ref, r.scope))
	}
	c.RunsOn = r.runsOn(c, base)
	parent := r.scope
	switch {
	case base.faulty:
		parent = r.declared // What it inherits cannot be said.
	case base.Stage != nil && base.Input == nil:
		// The ARGs of a stage for another platform do not come along.
		parent = base.Stage.scope
	}
	c.scope = parent.child(true)
	c.scope.bare = parent.bare
	if base.IsScratch() {
		c.scope.bare = true
		c.scope.setEnv("PATH") // emptyImage in dockerfile2llb/image.go
	}
	if base.Stage != nil {
		r.triggers(c, base.Stage)
	}
	for _, in := range c.Stage.Body {
		if !r.instruction(in, c.scope) {
			continue
		}
		for _, ref := range in.References {
			c.Edges = append(c.Edges, r.edge(c, ref, c.scope))
		}
	}
	r.imageTriggers(c)
	c.scope = c.scope.trim()
}

// runsOn returns the platform of a stage's RUNs.
func (r *resolver) runsOn(c *Choice, base Edge) guard.Platform {
	switch {
	case base.Input != nil:
		return base.Input.Platform
	case base.Stage != nil:
		return base.Stage.RunsOn
	case c.Stage.Platform != "":
		if p, ok := r.stagePlatform(c.Stage); ok {
			return p
		}
	}
	return r.plan.Platform
}

// hasContext reports whether a named context stands for a stage of the file, or for
// what it is FROM: for the platform that the stage asks for (buildDispatchStates and
// resolveBaseImage in BuildKit's dockerfile2llb/convert.go).
func (r *resolver) hasContext(s *syntax.Stage, name string) bool {
	platform := r.plan.Platform
	if len(r.plan.Env.Contexts) > 0 && s.Platform != "" {
		if p, ok := r.stagePlatform(s); ok {
			platform = p
		}
	}
	return r.plan.Env.hasContext(name, platform)
}

// checkDropped checks the names in the conditions of a stage that is not
// selected. What it inherits depends on a platform for which it is, so every ARG
// of the file above counts as declared.
func (r *resolver) checkDropped(c *Choice) {
	for _, in := range c.Stage.Body {
		r.checkNames(in, r.declared)
	}
}

func (r *resolver) platform() string {
	return guard.FormatPlatform(r.plan.Platform)
}

// noVariant lists every variant of a stage and why it does not hold. Nothing
// follows from a guard that is faulty: that has been reported.
func (r *resolver) noVariant(group *syntax.Group, span source.Span) source.List {
	var b strings.Builder
	fmt.Fprintf(&b, "stage %q has no variant for %s:", group.Name, r.platform())
	for _, s := range group.Stages {
		d := r.plan.Stages[s.Index].Decision
		if d.IsUndecided() {
			return nil
		}
		fmt.Fprintf(&b, "\n  line %d: %s", s.From.First, d.Reason)
	}
	hint := "add a variant that holds, or a last one without a guard: FROM … AS " + group.Name
	if context := r.nearContext(group.Name); context != "" {
		hint = fmt.Sprintf("there is a named context %q; call it %q to have it stand for the stage", context, group.Name)
	}
	return source.List{r.diagnostic(span, NoVariant, b.String(), hint)}
}

// nearContext returns the named context that is meant for a stage and misspelt.
func (r *resolver) nearContext(stage string) string {
	var names []string
	for context := range r.plan.Env.Contexts {
		name, _, _ := syntax.SplitPlatform(context)
		if group := r.plan.File.Group(name); group == nil || group.Name != name {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return source.Closest(stage, names)
}

func (r *resolver) reportGuard(in *syntax.Instruction, err *guard.Error) {
	span := in.ConditionSpan(err.Start, err.End)
	r.report(span, err.Name, err.Message, r.plan.File.GuardHint(in, err))
}

func (r *resolver) report(span source.Span, name, message, hint string) {
	r.diagnostics = append(r.diagnostics, r.diagnostic(span, name, message, hint))
}

func (r *resolver) diagnostic(span source.Span, name, message, hint string) *source.Diagnostic {
	return &source.Diagnostic{Name: name, Span: span, Message: message, Hint: hint}
}

// isIndex reports whether a COPY --from counts stages.
func isIndex(name string) (int, bool) {
	n, err := strconv.Atoi(name)
	return n, err == nil
}
