package lint

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/llb"
)

// Config returns a copy of the configuration of the check rules: the one given with the
// request, otherwise the file's "# check=" (newRuleLinter in BuildKit's
// dockerfile2llb/convert.go).
func Config(given *linter.Config, file *syntax.File) (*linter.Config, error) {
	if given != nil {
		config := *given
		return &config, nil
	}
	options, _, _, _ := parser.ParseDirective("check", file.Source.Data)
	return linter.ParseLintOptions(options)
}

// Report passes diagnostics to BuildKit's linter, which skips some as config tells. The
// error is that of "# check=error=true".
func Report(config *linter.Config, diagnostics source.List) error {
	l := linter.New(config)
	for _, d := range diagnostics {
		rule := &linter.LinterRule[func()]{Name: d.Name, Description: d.Summary()}
		l.Run(rule, []parser.Range{llb.DiagnosticRange(d)}, d.Summary()+"; "+d.Hint)
	}
	return l.Error()
}

// IsFromLowering reports whether BuildKit's linter reports a violation that lowering
// caused: a constant platform that a reference has in the user's text, or a
// "# platforms=" comment that the linter reads as the description of a stage or ARG. The
// set is nil for a plain Dockerfile.
func IsFromLowering(set *plan.Set, rule string, location []parser.Range) bool {
	if set == nil || len(location) == 0 {
		return false
	}
	file := set.Targets[0].File
	place := file.Source.LineSpan(location[0].Start.Line) // lowering keeps lines
	switch rule {
	case linter.RuleFromPlatformFlagConstDisallowed.Name:
		from := file.InstructionAt(place)
		return slices.ContainsFunc(set.Targets, func(t *plan.Target) bool { return t.AddsPlatform(from) })
	case linter.RuleInvalidDefinitionDescription.Name:
		return isBelowPlatforms(file, place)
	}
	return false
}

// isBelowPlatforms reports whether the comment above a place of the file is
// "# platforms=". Like BuildKit, it skips blank lines.
func isBelowPlatforms(file *syntax.File, place source.Span) bool {
	if file.Platforms == nil {
		return false
	}
	above := place.Pos().Line - 1
	for above > 0 && strings.TrimSpace(file.Source.LineSpan(above).Text()) == "" {
		above--
	}
	return above == file.PlatformsSpan.Pos().Line
}
