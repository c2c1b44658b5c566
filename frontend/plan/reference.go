package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// minTypoLength is the length from which a stage's name is taken for the one that
// a similar name means: short names are all alike.
const minTypoLength = 4

// edge resolves a reference in a stage. Its problems are kept until it is known
// whether the stage is reached.
func (r *resolver) edge(c *Choice, ref *syntax.Reference, s *scope) Edge {
	e := Edge{Reference: ref, Name: ref.Text}
	if ref.HasVariables() {
		if e.Name, e.faulty = r.expandReference(c, ref, s); e.faulty {
			return e
		}
	}
	if name, platform, ok := syntax.SplitPlatform(e.Name); ok {
		e.Name = name
		return r.crossEdge(c, e, platform)
	}
	if ref.Kind == syntax.FromBase {
		e.Context = r.hasContext(c.Stage, e.Name)
	} else {
		e.Context = r.plan.Env.hasContext(e.Name, r.plan.Platform)
	}
	if e.Context {
		return e
	}
	if n, ok := isIndex(e.Name); ok && ref.Kind == syntax.CopyFrom {
		e.numeric = true
		e.Stage, e.faulty = r.byIndex(c, ref.Span(), n)
		return e
	}
	if e.Stage = r.above(ref.Kind, e.Name, c.Stage.Index); e.Stage == nil {
		e.faulty = r.checkReference(r, c, e)
	}
	return e
}

// triggers resolves what the ONBUILD instructions of a stage's base name. They
// look among all stages, and are stored in an image: nothing is rewritten.
func (r *resolver) triggers(c, base *Choice) {
	for _, in := range base.Stage.Body {
		if !base.Plan.Decision(in).Holds {
			continue
		}
		if in.Keyword == command.Onbuild {
			c.scope.bare = false // The trigger can be an ENV.
		}
		for _, ref := range in.Triggered {
			if !ref.HasVariables() { // BuildKit refuses it.
				c.Edges = append(c.Edges, r.trigger(c, ref, ref.Span()))
			}
		}
	}
}

// trigger resolves what an ONBUILD trigger names when it runs in stage c. Faults are
// reported at a place of their own.
func (r *resolver) trigger(c *Choice, ref *syntax.Reference, at source.Span) Edge {
	e := Edge{Reference: ref, Name: ref.Text, triggered: true}
	if e.Context = r.plan.Env.hasContext(e.Name, r.plan.Platform); e.Context {
		return e
	}
	if n, ok := isIndex(e.Name); ok && ref.Kind == syntax.CopyFrom {
		e.Stage, e.faulty = r.byIndex(c, at, n)
		if e.Stage != nil && e.Stage.position != n {
			e.Stage, e.faulty = nil, true
			if !slices.ContainsFunc(r.plan.Stages, func(c *Choice) bool { return c.Decision.IsUndecided() }) {
				r.problem(c, r.diagnostic(at, DroppedStage,
					"a trigger's number counts the stages that there are for "+r.platform()+", where stage "+e.Name+" is another one",
					"refer to the stage by name"))
			}
		}
		return e
	}
	if e.Stage = r.find(e.Name, len(r.plan.Stages)); e.Stage != nil {
		return e
	}
	if group := r.plan.File.Group(e.Name); group != nil {
		e.faulty = true
		r.problem(c, r.noVariant(group, at)...)
	}
	return e
}

// crossEdge resolves a reference that names the platform that is meant.
func (r *resolver) crossEdge(c *Choice, e Edge, written string) Edge {
	ref := e.Reference
	platform, problem := r.parsePlatform(ref, written)
	if problem == nil && ref.Kind == syntax.FromBase {
		problem = r.checkStagePlatform(c, platform)
	}
	if problem == nil && e.Name == "" {
		problem = r.diagnostic(ref.Span(), InvalidReference, "the reference has a platform and no name", "write name::PLATFORM")
	}
	if _, _, twice := syntax.SplitPlatform(e.Name); problem == nil && twice {
		problem = r.diagnostic(ref.Span(), InvalidReference, "the reference names two platforms", "write one :: and the platform that is meant")
	}
	if problem == nil && !referenceText.MatchString(e.Name) { // a quote, or what would escape a line's end
		problem = r.notAName(ref, ref.Text, e.Name)
	}
	if _, counts := isIndex(e.Name); problem == nil && counts && ref.Kind == syntax.CopyFrom {
		problem = r.diagnostic(ref.Span(), InvalidReference, "a stage for another platform cannot be referred to by number", "give the stage a name")
	}
	if problem != nil {
		r.problem(c, problem)
		e.faulty = true
		return e
	}
	e.Platform = &platform
	other := r.family.member(platform)
	other.upTo(c.Stage.Index)
	if e.Context = other.plan.Env.hasContext(e.Name, platform); !e.Context {
		if e.Stage = other.above(ref.Kind, e.Name, c.Stage.Index); e.Stage == nil {
			if e.faulty = other.checkReference(r, c, e); e.faulty {
				return e
			}
		}
	}
	// Files of a stage for the very platform that is built need no detour.
	if other == r && e.Stage != nil && ref.Kind != syntax.FromBase {
		e.Name = e.Stage.Stage.Name
		return e
	}
	if ref.Kind != syntax.Needs {
		e.Input = r.family.input(ref, e.Stage, e.Name, platform)
	}
	return e
}

// parsePlatform reads the platform of a reference.
func (r *resolver) parsePlatform(ref *syntax.Reference, written string) (guard.Platform, *source.Diagnostic) {
	hint := "write OS/ARCH[/VARIANT], linux/arm64 for example"
	if _, errs := guard.ParsePlatforms(written); len(errs) > 0 {
		return guard.Platform{}, r.diagnostic(ref.Span(), guard.UnknownPlatform, errs[0].Message, errs[0].Hint)
	}
	if !strings.Contains(written, "/") || strings.ContainsAny(written, "*!,") {
		return guard.Platform{}, r.diagnostic(ref.Span(), guard.UnknownPlatform, strconv.Quote(written)+" is not a platform", hint)
	}
	p, err := platforms.Parse(written)
	if err != nil {
		return guard.Platform{}, r.diagnostic(ref.Span(), guard.UnknownPlatform, err.Error(), hint)
	}
	return platforms.Normalize(p), nil
}

// checkStagePlatform refuses a --platform that differs from the one that the base
// is meant for.
func (r *resolver) checkStagePlatform(c *Choice, platform guard.Platform) *source.Diagnostic {
	if c.Stage.Platform == "" {
		return nil
	}
	given, ok := r.stagePlatform(c.Stage)
	if !ok || guard.FormatPlatform(given) == guard.FormatPlatform(platform) {
		return nil
	}
	return r.diagnostic(c.Stage.From.Span(), PlatformConflict,
		"the stage is FROM a stage for "+guard.FormatPlatform(platform)+" and asks for --platform="+guard.FormatPlatform(given),
		"leave --platform out: the stage runs on the platform of what it is FROM")
}

// stagePlatform returns the platform of a stage's --platform, if it can be said. One
// that cannot be read is BuildKit's to refuse.
func (r *resolver) stagePlatform(s *syntax.Stage) (guard.Platform, bool) {
	env := &getter{scope: r.scope}
	text, _, err := shell.NewLex(r.plan.File.Escape).ProcessWord(s.Platform, env)
	if err != nil || env.faulty {
		return guard.Platform{}, false
	}
	p, err := platforms.Parse(text)
	return p, err == nil
}

// byIndex resolves COPY --from=0, which counts the stages as written.
func (r *resolver) byIndex(c *Choice, at source.Span, n int) (stage *Choice, faulty bool) {
	if n < 0 || n >= len(r.plan.Stages) {
		return nil, false // BuildKit refuses it.
	}
	stage = r.plan.Stages[n]
	switch {
	case stage.Decision.Holds:
		return stage, false
	case stage.Decision.IsUndecided():
		return nil, true
	}
	r.problem(c, r.diagnostic(at, DroppedStage,
		"stage "+strconv.Itoa(n)+", on line "+strconv.Itoa(stage.Stage.From.First)+", is not there for "+r.platform()+": "+stage.Decision.Reason,
		"refer to a stage by name: its variants share one"))
	return nil, true
}

// checkReference reports a name that is no stage above for the resolver's
// platform, although a stage is meant, as a problem of c, which user resolves. It
// returns whether it is one.
func (r *resolver) checkReference(user *resolver, c *Choice, e Edge) bool {
	ref := e.Reference
	if !r.plan.File.IsStaged {
		return false // an image, as in BuildKit
	}
	group := r.plan.File.Group(e.Name)
	if group == nil {
		return user.checkTypo(c, e)
	}
	// FROM debian AS debian means the image.
	if ref.Kind == syntax.FromBase && group.Name == c.Stage.Name {
		return false
	}
	if found := r.find(e.Name, len(r.plan.Stages)); found == nil {
		user.problem(c, r.noVariant(group, ref.Span())...)
	} else {
		message, hint := r.notAbove(group, found.Stage, c.Stage)
		user.problem(c, r.diagnostic(ref.Span(), StageBelow, message, hint))
	}
	return true
}

// notAbove says what is wrong with a reference that means a stage which does not
// stand above its user.
func (r *resolver) notAbove(group *syntax.Group, found, user *syntax.Stage) (message, hint string) {
	message, hint = `stage "`+group.Name+`" refers to itself`, "refer to a stage above it"
	if found != user {
		message = `stage "` + group.Name + `" is defined below, on line ` + strconv.Itoa(found.From.First)
		hint = "move it above the stage that uses it"
	}
	if r.find(group.Name, user.Index) != nil {
		return message + ", and files are taken from the last stage of its name", "give the stages names of their own, or guards"
	}
	if chain := r.chain(found, user); chain != "" && found != user {
		message += ", and is made from this one:" + chain
		hint = "break the cycle: put what both use into a stage of its own, above them"
	}
	return message, hint
}

// chain returns how one stage refers to another, over others if need be: a line
// for each step, or "" when it does not. A stage is followed by the names that
// its text has, whatever the platform.
func (r *resolver) chain(from, to *syntax.Stage) string {
	above := map[*syntax.Stage]string{from: ""} // how each stage was reached
	for pending := []*syntax.Stage{from}; len(pending) > 0; pending = pending[1:] {
		s := pending[0]
		for _, ref := range s.References() {
			name, _, _ := syntax.SplitPlatform(ref.Text)
			group := r.plan.File.Group(name)
			if group == nil {
				continue
			}
			step := fmt.Sprintf("%s\n  line %d: %s %s", above[s], ref.Instruction.First, ref.Kind, ref.Text)
			for _, next := range group.Stages {
				if next == to {
					return step
				}
				if _, seen := above[next]; !seen {
					above[next] = step
					pending = append(pending, next)
				}
			}
		}
	}
	return ""
}

// checkTypo reports a name that is almost a stage's. A reference that says more
// than a bare name, alpine:latest, is never taken for one.
func (r *resolver) checkTypo(c *Choice, e Edge) bool {
	ref := e.Reference
	if ref.Kind == syntax.Needs {
		hint := source.DidYouMean(e.Name, r.plan.File.StageNames())
		r.problem(c, r.diagnostic(ref.Span(), UnknownStage, `--needs names no stage: "`+e.Name+`"`, cmp.Or(hint, "name a stage above")))
		return true
	}
	if strings.ContainsAny(e.Name, ":/@") || e.Name == emptyImage {
		return false
	}
	near := r.family.typos().near(e.Name)
	if near == "" || near == c.Stage.Name {
		return false
	}
	r.problem(c, r.diagnostic(ref.Span(), UnknownStage,
		`"`+e.Name+`" is no stage, and too much like one to be taken for an image`,
		`write "`+near+`" for the stage, or "`+e.Name+`:latest" for the image`))
	return true
}

func (r *resolver) problem(c *Choice, d ...*source.Diagnostic) {
	r.problems[c] = append(r.problems[c], d...)
}
