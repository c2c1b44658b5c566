package plan

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// plainVariable matches $NAME and ${NAME}, in which an unknown name is an error. The other
// forms, such as ${NAME:-default}, define a value for unknown names.
var plainVariable = regexp.MustCompile(`\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})`)

// referenceText matches the name of a stage or an image reference
// (distribution/reference), with an optional platform.
var referenceText = regexp.MustCompile(`^[A-Za-z0-9._:/@+-]+(::[A-Za-z0-9._:/@+%()-]*)?$`)

// expand expands the variables of a reference. The list of an invalid reference is empty
// if the cause is reported elsewhere.
func (l *linker) expand(ref *syntax.Reference, s *scope) (name string, isInvalid bool, list source.List) {
	env := &getter{scope: s}
	result, err := shell.NewLex(l.plan.File.Escape).ProcessWordWithMatches(ref.Text, env)
	if err != nil {
		return ref.Text, true, source.List{l.invalidExpansion(ref, err)}
	}
	var d *source.Diagnostic
	if ref.Kind != syntax.FromBase {
		d = l.checkExpansion(ref, s, env, result.Result)
	} else if strings.Contains(result.Result, "::") && !referenceText.MatchString(result.Result) {
		// BuildKit checks other bases. A base with a platform is rewritten, so its name
		// is checked here.
		d = l.invalidName(ref, result.Result)
	}
	if d != nil {
		return ref.Text, true, source.List{d}
	}
	return result.Result, env.isInvalid, nil
}

// checkExpansion returns the diagnostic of a reference with variables, or nil. result is
// the expanded reference.
func (l *linker) checkExpansion(ref *syntax.Reference, s *scope, env *getter, result string) *source.Diagnostic {
	for _, m := range plainVariable.FindAllStringSubmatch(ref.Text, -1) {
		name := m[1] + m[2]
		if _, ok := s.Lookup(name); !ok {
			return l.plan.diagnostic(ref.Span(), guard.UnknownName, `unknown name "`+name+`" in `+ref.Kind.String(), s.adviceFor(name))
		}
	}
	switch {
	case env.isInvalid:
		return nil
	case env.unknown.IsUnknown():
		return l.plan.diagnostic(ref.Span(), guard.UnknownValue,
			written(ref)+" refers to "+env.unknown.Variable+", "+cmp.Or(env.unknown.Cause, "which is known only during the build"),
			cmp.Or(env.unknown.Hint, "use a build arg, whose value is known before the build"))
	case result == "":
		return l.plan.platformDiagnostic(ref.Span(), EmptyReference, written(ref)+" is empty", "", emptyHint(ref, s))
	case !referenceText.MatchString(result):
		return l.invalidName(ref, result)
	}
	return nil
}

// invalidName returns the diagnostic of a reference whose name cannot be that of a stage
// or image.
func (l *linker) invalidName(ref *syntax.Reference, name string) *source.Diagnostic {
	return l.plan.diagnostic(ref.Span(), InvalidReference,
		written(ref)+" names "+quote(name)+", which is not a valid name of a stage or image",
		"use only letters, digits and . _ - + / : @ in the name")
}

// quote puts quotes around the user's text. It escapes only text that a terminal could not
// show.
func quote(text string) string {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return strconv.Quote(text)
	}
	return `"` + text + `"`
}

// openBrace matches a variable whose brace is not closed, at the end of a reference.
var openBrace = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)[^}]*$`)

// requiredVariable matches the lexer's error for ${NAME:?message}, if NAME is empty.
var requiredVariable = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*): `)

// setArg returns the two ways to give an arg a value.
func setArg(name string) string {
	return "ARG " + name + "=… or --build-arg " + name + "=…"
}

// invalidExpansion returns the diagnostic of a reference that BuildKit's shell lexer
// refuses.
func (l *linker) invalidExpansion(ref *syntax.Reference, err error) *source.Diagnostic {
	if m := openBrace.FindStringSubmatch(ref.Text); m != nil {
		return l.plan.diagnostic(ref.Span(), InvalidReference, quote(m[0])+" is not closed", "write "+closed(m[0], m[1]))
	}
	cause := err
	for next := errors.Unwrap(cause); next != nil; next = errors.Unwrap(cause) {
		cause = next
	}
	hint := "write $NAME, ${NAME} or ${NAME:-default}"
	if m := requiredVariable.FindStringSubmatch(cause.Error()); m != nil && strings.Contains(ref.Text, "?") {
		hint = "set it with " + setArg(m[1])
	}
	return l.plan.diagnostic(ref.Span(), InvalidReference, written(ref)+" cannot be expanded: "+cause.Error(), hint)
}

// closed returns a variable whose brace is not closed, with the brace: ${NAME:-default}
// if it has a default, and otherwise ${NAME}.
func closed(open, name string) string {
	if strings.HasPrefix(open, "${"+name+":-") {
		return open + "}"
	}
	return "${" + name + "}"
}

// emptyHint returns how to set the variables of a reference that is empty.
func emptyHint(ref *syntax.Reference, s *scope) string {
	var names []string
	for _, m := range plainVariable.FindAllStringSubmatch(ref.Text, -1) {
		names = append(names, m[1]+m[2])
	}
	if len(names) == 0 {
		return "give the args values, or write a default: ${NAME:-STAGE}"
	}
	fallback := "write ${" + names[0] + ":-STAGE}"
	if arg, _ := s.Lookup(names[0]); arg.IsAutomatic {
		return fallback
	}
	set := "set " + names[0]
	if len(names) > 1 {
		set = "set one of " + strings.Join(names, ", ")
	}
	return set + " with " + setArg(names[0]) + ", or " + fallback
}

// written returns a reference as it is written in the file, for messages.
func written(ref *syntax.Reference) string {
	if ref.Kind == syntax.FromBase {
		return "FROM " + ref.Text
	}
	return ref.Kind.String() + "=" + ref.Text
}

// getter supplies the values of a scope to BuildKit's shell lexer. It records whether the
// lexer used a value that is invalid or unknown before the build.
type getter struct {
	scope *scope
	// stageOnly hides the global ARGs, which the ARGs of a stage cannot refer to.
	stageOnly bool
	arg       string        // the ARG whose default is expanded, or ""
	line      int           // its line
	unknown   guard.Unknown // the first variable whose value is unknown
	isInvalid bool          // one of the values is invalid
}

// Get implements shell.EnvGetter.
func (g *getter) Get(name string) (string, bool) {
	owner := g.scope.owner(lookup{name: name, envs: true})
	if owner == nil || g.stageOnly && !owner.isStage {
		if g.stageOnly {
			g.noteUndeclared(name, owner)
		}
		return "", false
	}
	arg := owner.args[name]
	_, isEnv := owner.envs[name]
	switch {
	case isEnv || arg.IsEnv:
		g.noteEnv(name, owner)
		return "", true
	case g.stageOnly && owner.unset[name] && !g.scope.isBare:
		g.noteUnknown(guard.Unknown{
			Variable: "$" + name, Cause: "an ARG without a value, which the base image can set",
			Hint: "write a value: ARG " + name + "=…",
		})
		return "", false
	}
	g.isInvalid = g.isInvalid || arg.Invalid
	g.noteUnknown(arg.Unknown)
	return arg.Value, !owner.unset[name]
}

// noteUndeclared records a name that the stage does not declare. owner is the scope outside
// of the stages that declares it, or nil.
func (g *getter) noteUndeclared(name string, owner *scope) {
	u := guard.Unknown{Variable: "$" + name}
	switch {
	case owner == nil:
		g.noteUnknown(u)
		return
	case owner.parent == nil:
		u.Cause = "an automatic arg that the stage does not declare"
	default:
		u.Cause = "an ARG before the first FROM that the stage does not declare"
	}
	if g.arg != "" {
		u.Hint = fmt.Sprintf("write ARG %s above ARG %s on line %d", name, g.arg, g.line)
	}
	g.noteUnknown(u)
}

// noteEnv records a name that an ENV in the scope owner sets.
func (g *getter) noteEnv(name string, owner *scope) {
	u := guard.Unknown{Variable: "$" + name}
	line := owner.envLine(name)
	hidden := g.scope.owner(lookup{name: name})
	switch {
	case line == 0:
	case hidden == nil || hidden.args[name].IsEnv || g.stageOnly && !hidden.isStage:
		u.Cause = fmt.Sprintf("which ENV on line %d sets", line)
	default:
		u.Cause = fmt.Sprintf("an ARG that ENV on line %d hides", line)
		u.Hint = "give the ARG or the ENV another name"
	}
	g.noteUnknown(u)
}

func (g *getter) noteUnknown(u guard.Unknown) {
	if !g.unknown.IsUnknown() {
		g.unknown = u
	}
}

// Keys implements shell.EnvGetter.
func (g *getter) Keys() []string {
	return g.scope.Names()
}
