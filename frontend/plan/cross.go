package plan

import (
	"strconv"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// linkCross links a reference that names a platform with ::.
func (l *linker) linkCross(c *Choice, e Edge, written string) (Edge, source.List) {
	platform, d := l.parsePlatform(e.Reference, written)
	if d == nil {
		d = l.checkCross(c, e, platform)
	}
	if d != nil {
		e.isInvalid = true
		return e, source.List{d}
	}
	e.Platform = &platform
	draft := l.planner.draft(platform)
	draft.linkTo(c.Stage.Index)
	other := draft.plan
	if e.Context = other.Env.hasContext(e.Name, platform); !e.Context {
		if e.Stage = other.above(e.Reference.Kind, e.Name, c.Stage.Index); e.Stage == nil {
			var list source.List
			if e.isInvalid, list = l.checkImage(other, c, e); e.isInvalid {
				return e, list
			}
		}
	}
	// Files of a stage for the target platform itself need no input.
	if other == l.plan && e.Stage != nil && e.Reference.Kind != syntax.FromBase {
		e.Name = e.Stage.Stage.Name
		return e, nil
	}
	if e.Reference.Kind != syntax.Needs {
		e.Input = l.planner.input(e.Reference, e.Stage, e.Name, platform)
	}
	return e, nil
}

// checkCross returns the diagnostic of a reference with a platform, or nil.
func (l *linker) checkCross(c *Choice, e Edge, platform guard.Platform) *source.Diagnostic {
	ref := e.Reference
	if ref.Kind == syntax.FromBase {
		if d := l.checkStagePlatform(c, platform); d != nil {
			return d
		}
	}
	invalid := func(message, hint string) *source.Diagnostic {
		return l.plan.diagnostic(ref.Span(), InvalidReference, message, hint)
	}
	_, _, hasSecond := syntax.SplitPlatform(e.Name)
	_, isNumber := stageNumber(e.Name)
	switch {
	case e.Name == "":
		return invalid("the reference has a platform and no name", "write name::PLATFORM")
	case hasSecond:
		return invalid("the reference names two platforms", "write one :: and one platform")
	case !referenceText.MatchString(e.Name): // a quote, or an escaped line end
		return l.notAName(ref, ref.Text, e.Name)
	case isNumber && ref.Kind == syntax.CopyFrom:
		return invalid("a stage for another platform cannot be referred to by number", "give the stage a name")
	}
	return nil
}

// parsePlatform reads the platform of a reference.
func (l *linker) parsePlatform(ref *syntax.Reference, written string) (guard.Platform, *source.Diagnostic) {
	unknown := func(message, hint string) (guard.Platform, *source.Diagnostic) {
		return guard.Platform{}, l.plan.diagnostic(ref.Span(), guard.UnknownPlatform, message, hint)
	}
	const hint = "write OS/ARCH[/VARIANT], linux/arm64 for example"
	if _, errs := guard.ParsePlatforms(written); len(errs) > 0 {
		return unknown(errs[0].Message, errs[0].Hint)
	}
	if !strings.Contains(written, "/") || strings.ContainsAny(written, "*!,") {
		return unknown(strconv.Quote(written)+" is not a platform", hint)
	}
	p, err := platforms.Parse(written)
	if err != nil {
		return unknown(err.Error(), hint)
	}
	return platforms.Normalize(p), nil
}

// checkStagePlatform returns the diagnostic of a --platform that differs from the one
// that the base is for, or nil.
func (l *linker) checkStagePlatform(c *Choice, platform guard.Platform) *source.Diagnostic {
	if c.Stage.Platform == "" {
		return nil
	}
	given, ok := l.plan.stagePlatform(c.Stage)
	if !ok || guard.FormatPlatform(given) == guard.FormatPlatform(platform) {
		return nil
	}
	return l.plan.diagnostic(c.Stage.From.Span(), PlatformConflict,
		"the base is for "+guard.FormatPlatform(platform)+", and --platform="+guard.FormatPlatform(given)+" differs",
		"leave --platform out: the stage runs on the platform of its base")
}

// stagePlatform returns the platform of a stage's --platform flag. It is false for one
// that is invalid, which BuildKit refuses.
func (p *Plan) stagePlatform(s *syntax.Stage) (guard.Platform, bool) {
	env := &getter{scope: p.globals}
	text, _, err := shell.NewLex(p.File.Escape).ProcessWord(s.Platform, env)
	if err != nil || env.isInvalid {
		return guard.Platform{}, false
	}
	platform, err := platforms.Parse(text)
	return platform, err == nil
}

// hasContext reports whether a named context replaces a stage, or the base of a stage,
// for the platform that its FROM names (buildDispatchStates and resolveBaseImage in
// BuildKit's dockerfile2llb/convert.go).
func (p *Plan) hasContext(s *syntax.Stage, name string) bool {
	platform := p.Platform
	if len(p.Env.Contexts) > 0 && s.Platform != "" {
		if given, ok := p.stagePlatform(s); ok {
			platform = given
		}
	}
	return p.Env.hasContext(name, platform)
}
