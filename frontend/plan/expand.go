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
// (distribution/reference), and behind a :: a platform.
var referenceText = regexp.MustCompile(`^[A-Za-z0-9._:/@+-]+(::[A-Za-z0-9._:/@+%()-]*)?$`)

// expandReference expands the variables of a reference in a stage. What is wrong
// with it is a problem of the stage, unless it follows from what has been reported.
func (r *resolver) expandReference(c *Choice, ref *syntax.Reference, s *scope) (name string, faulty bool) {
	env := &getter{scope: s}
	result, err := shell.NewLex(r.plan.File.Escape).ProcessWordWithMatches(ref.Text, env)
	if err != nil {
		// BuildKit names the character that is not there where braces stay open.
		fault := strings.ReplaceAll(err.Error(), "(\ufffd)", "(end of text)")
		r.problem(c, r.diagnostic(ref.Span(), InvalidReference, fault, "write $NAME, ${NAME} or ${NAME:-default}"))
		return ref.Text, true
	}
	if ref.Kind == syntax.FromBase {
		// BuildKit's own, with its own errors. Behind a platform's colons it is ours,
		// and nothing but a name may get into the lowered file.
		if strings.Contains(result.Result, "::") && !referenceText.MatchString(result.Result) {
			r.problem(c, r.notAName(ref, ref.Text, result.Result))
			return ref.Text, true
		}
		return result.Result, env.faulty
	}
	if problem := r.checkExpansion(ref, s, env, result.Result); problem != nil {
		r.problem(c, problem)
		return ref.Text, true
	}
	return result.Result, env.faulty
}

// checkExpansion returns what is wrong with what a reference has become, or nil.
func (r *resolver) checkExpansion(ref *syntax.Reference, s *scope, env *getter, result string) *source.Diagnostic {
	for _, m := range plainVariable.FindAllStringSubmatch(ref.Text, -1) {
		name := m[1] + m[2]
		if _, ok := s.Lookup(name); !ok {
			hint := source.DidYouMean(name, s.Names())
			if hint == "" {
				hint = "declare it above with ARG " + name
			}
			return r.diagnostic(ref.Span(), guard.UnknownName, `unknown name "`+name+`" in `+ref.Kind.String(), hint)
		}
	}
	switch {
	case env.faulty:
		return nil
	case env.unknown != "":
		return r.diagnostic(ref.Span(), guard.UnknownValue,
			ref.Kind.String()+"="+ref.Text+" refers to "+env.unknown+", which is known only during the build",
			"use build args, whose values are known before")
	case result == "":
		return r.diagnostic(ref.Span(), EmptyReference,
			ref.Kind.String()+"="+ref.Text+" is empty for "+r.platform(),
			"give the arg a value, or write a default: ${NAME:-default}")
	case !referenceText.MatchString(result):
		return r.notAName(ref, ref.Kind.String()+"="+ref.Text, result)
	}
	return nil
}

// notAName is the error for a reference that has become what no name can be.
func (r *resolver) notAName(ref *syntax.Reference, written, result string) *source.Diagnostic {
	return r.diagnostic(ref.Span(), InvalidReference,
		written+" is "+strconv.Quote(result)+", which names no stage or image",
		"a name consists of letters, digits and . _ - / : @")
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
	return guard.Arg{Value: value, Unknown: env.unknown, Invalid: env.faulty}
}

// getter gives BuildKit's shell lexer the values of a scope, and keeps the first
// reference to what is not known before the build.
type getter struct {
	scope *scope
	// stageOnly hides the globals, as they are from the stage's own ARGs.
	stageOnly bool
	unknown   string
	faulty    bool // whether one of the values is
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
	case owner.envs[name] || owner.args[name].IsEnv:
		g.keep("$" + name)
		return "", true
	case g.stageOnly && owner.unset[name] && !g.scope.bare:
		g.keep("$" + name) // It hides no variable of the base image.
		return "", false
	}
	arg := owner.args[name]
	g.faulty = g.faulty || arg.Invalid
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
