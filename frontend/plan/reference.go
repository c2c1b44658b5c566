package plan

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// plainVariable matches $NAME and ${NAME}, whose unknown names are errors. The
// other forms say themselves what to take instead.
var plainVariable = regexp.MustCompile(`\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})`)

// referenceText is what a stage name or an image reference can consist of
// (distribution/reference, with the :: of this language).
var referenceText = regexp.MustCompile(`^[A-Za-z0-9._:/@+-]+$`)

// edge resolves a reference in a stage. Its problems are kept until it is known
// whether the stage is reached.
func (r *resolver) edge(c *Choice, ref *syntax.Reference, s *scope) Edge {
	e := Edge{Reference: ref, Name: ref.Text}
	if ref.Expands() {
		name, problem := r.expandReference(ref, s)
		if problem != nil {
			r.problem(c, problem)
			e.faulty = true
			return e
		}
		e.Name = name
	}
	if r.plan.Env.Contexts[strings.ToLower(e.Name)] {
		return e
	}
	if n, ok := isIndex(e.Name); ok && ref.Kind == syntax.CopyFrom {
		e.numeric = true
		e.Stage, e.faulty = r.byIndex(c, ref, n)
		return e
	}
	if e.Stage = r.find(e.Name, c.Stage.Index); e.Stage == nil {
		e.faulty = r.checkImage(c, e)
	}
	return e
}

// triggers resolves what the ONBUILD instructions of a stage's base name. They
// look among all stages, and are stored in an image: nothing is rewritten.
func (r *resolver) triggers(c, base *Choice) {
	for i, in := range base.Stage.Body {
		if !base.Body[i].Holds {
			continue
		}
		for _, ref := range in.Triggered {
			if !ref.Expands() { // BuildKit refuses it.
				c.Edges = append(c.Edges, r.trigger(c, ref))
			}
		}
	}
}

func (r *resolver) trigger(c *Choice, ref *syntax.Reference) Edge {
	e := Edge{Reference: ref, Name: ref.Text, triggered: true}
	if r.plan.Env.Contexts[strings.ToLower(e.Name)] {
		return e
	}
	if n, ok := isIndex(e.Name); ok && ref.Kind == syntax.CopyFrom {
		e.Stage, e.faulty = r.byIndex(c, ref, n)
		if e.Stage != nil && e.Stage.position != n {
			e.Stage, e.faulty = nil, true
			r.problem(c, r.diagnostic(ref.Span(), DroppedStage,
				"a trigger's number counts the stages that there are for "+r.platform()+", where stage "+e.Name+" is another one",
				"refer to the stage by name"))
		}
		return e
	}
	if e.Stage = r.find(e.Name, len(r.plan.Stages)); e.Stage != nil {
		return e
	}
	if group := r.plan.File.Group(e.Name); group != nil {
		e.faulty = true
		r.problem(c, r.noVariant(group, ref.Span())...)
	}
	return e
}

// byIndex resolves COPY --from=0, which counts the stages as written.
func (r *resolver) byIndex(c *Choice, ref *syntax.Reference, n int) (stage *Choice, faulty bool) {
	if n < 0 || n >= len(r.plan.Stages) {
		return nil, false // BuildKit refuses it.
	}
	stage = r.plan.Stages[n]
	if stage.Decision.Holds {
		return stage, false
	}
	r.problem(c, r.diagnostic(ref.Span(), DroppedStage,
		"stage "+strconv.Itoa(n)+", on line "+strconv.Itoa(stage.Stage.From.First)+", is not there for "+r.platform()+": "+stage.Decision.Reason,
		"refer to a stage by name: its variants share one"))
	return nil, true
}

// checkImage reports a name that would be pulled although it is a stage's, and
// whether it is one.
func (r *resolver) checkImage(c *Choice, e Edge) bool {
	group := r.plan.File.Group(e.Name)
	// FROM debian AS debian means the image.
	if group == nil || e.Reference.Kind == syntax.FromBase && group.Name == c.Stage.Name {
		return false
	}
	found := r.find(e.Name, len(r.plan.Stages))
	switch {
	case found == nil:
		r.problem(c, r.noVariant(group, e.Reference.Span())...)
	case found == c:
		r.problem(c, r.diagnostic(e.Reference.Span(), StageBelow,
			`stage "`+group.Name+`" refers to itself`, "refer to a stage above it"))
	default:
		r.problem(c, r.diagnostic(e.Reference.Span(), StageBelow,
			`stage "`+group.Name+`" is defined below, on line `+strconv.Itoa(found.Stage.From.First),
			"move it above the stage that uses it"))
	}
	return true
}

func (r *resolver) problem(c *Choice, d ...*source.Diagnostic) {
	r.problems[c] = append(r.problems[c], d...)
}

// expandReference expands the variables of a reference.
func (r *resolver) expandReference(ref *syntax.Reference, s *scope) (string, *source.Diagnostic) {
	env := &getter{scope: s}
	result, err := shell.NewLex(r.plan.File.Escape).ProcessWordWithMatches(ref.Text, env)
	if err != nil {
		// BuildKit names the character that is not there where braces stay open.
		fault := strings.ReplaceAll(err.Error(), "(\ufffd)", "(end of text)")
		return "", r.diagnostic(ref.Span(), InvalidReference, fault, "write $NAME, ${NAME} or ${NAME:-default}")
	}
	if ref.Kind == syntax.FromBase {
		return result.Result, nil // BuildKit's own, with its own errors.
	}
	for _, m := range plainVariable.FindAllStringSubmatch(ref.Text, -1) {
		name := m[1] + m[2]
		if _, ok := s.Lookup(name); !ok {
			hint := source.DidYouMean(name, s.Names())
			if hint == "" {
				hint = "declare it above with ARG " + name
			}
			return "", r.diagnostic(ref.Span(), guard.UnknownName, `unknown name "`+name+`" in `+ref.Kind.String(), hint)
		}
	}
	switch {
	case env.unknown != "":
		return "", r.diagnostic(ref.Span(), guard.UnknownValue,
			ref.Kind.String()+"="+ref.Text+" refers to "+env.unknown+", which is known only during the build",
			"use build args, whose values are known before")
	case result.Result == "":
		return "", r.diagnostic(ref.Span(), EmptyReference,
			ref.Kind.String()+"="+ref.Text+" is empty for "+r.platform(),
			"give the arg a value, or write a default: ${NAME:-default}")
	case !referenceText.MatchString(result.Result):
		return "", r.diagnostic(ref.Span(), InvalidReference,
			ref.Kind.String()+"="+ref.Text+" is "+strconv.Quote(result.Result)+", which names no stage or image",
			"a name consists of letters, digits and . _ - / : @")
	}
	return result.Result, nil
}

// envName returns the name that an ENV gives a value to: BuildKit expands it.
func (r *resolver) envName(text string, s *scope) string {
	name, _, err := shell.NewLex(r.plan.File.Escape).ProcessWord(text, &getter{scope: s, stageOnly: true})
	if err != nil {
		return text // BuildKit refuses it.
	}
	return name
}

// defaultValue expands the default of an ARG. In a stage it can refer to what
// only the build knows: an ENV, or a variable of the base image.
func (r *resolver) defaultValue(text string, s *scope) guard.Arg {
	env := &getter{scope: s, stageOnly: s.stage}
	value, _, err := shell.NewLex(r.plan.File.Escape).ProcessWord(text, env)
	if err != nil {
		return guard.Arg{Unknown: text} // BuildKit refuses it.
	}
	return guard.Arg{Value: value, Unknown: env.unknown}
}

// getter gives BuildKit's shell lexer the values of a scope, and keeps the first
// reference to what is not known before the build.
type getter struct {
	scope *scope
	// stageOnly hides the globals, as they are from the stage's own ARGs.
	stageOnly bool
	unknown   string
}

// Get implements shell.EnvGetter.
func (g *getter) Get(name string) (string, bool) {
	owner := g.scope.owner(lookup{name: name, envs: true})
	switch {
	case owner == nil || g.stageOnly && !owner.stage:
		if g.stageOnly {
			g.keep("$" + name)
		}
		return "", false
	case owner.envs[name]:
		g.keep("$" + name)
		return "", true
	}
	arg := owner.args[name]
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
