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
		// BuildKit names U+FFFD where braces are not closed.
		message := strings.ReplaceAll(err.Error(), "(\ufffd)", "(end of text)")
		return ref.Text, true, source.List{
			l.plan.diagnostic(ref.Span(), InvalidReference, message, "write $NAME, ${NAME} or ${NAME:-default}"),
		}
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
			hint := source.DidYouMean(name, s.Names())
			if hint == "" {
				hint = "declare it above with ARG " + name
			}
			return l.plan.diagnostic(ref.Span(), guard.UnknownName, `unknown name "`+name+`" in `+ref.Kind.String(), hint)
		}
	}
	switch {
	case env.isInvalid:
		return nil
	case env.unknown != "":
		return l.plan.diagnostic(ref.Span(), guard.UnknownValue,
			written(ref)+" refers to "+env.unknown+", which is known only during the build",
			"use a build arg, whose value is known before the build")
	case result == "":
		return l.plan.platformDiagnostic(ref.Span(), EmptyReference,
			written(ref)+" is empty", "",
			"give the arg a value, or write a default: ${NAME:-default}")
	case !referenceText.MatchString(result):
		return l.invalidName(ref, result)
	}
	return nil
}

// invalidName returns the diagnostic of a reference whose name cannot be that of a stage
// or image.
func (l *linker) invalidName(ref *syntax.Reference, name string) *source.Diagnostic {
	return l.plan.diagnostic(ref.Span(), InvalidReference,
		written(ref)+" names "+strconv.Quote(name)+", which is not a valid name of a stage or image",
		"use only letters, digits and . _ - / : @ in the name")
}

// written returns a reference as it is written in the file, for messages.
func written(ref *syntax.Reference) string {
	if ref.Kind == syntax.FromBase {
		return "FROM " + ref.Text
	}
	return ref.Kind.String() + "=" + ref.Text
}
