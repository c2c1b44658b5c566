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

// Config returns a copy of the linter's configuration: the given one, or if it is nil the
// file's "# check=" (newRuleLinter in BuildKit's dockerfile2llb/convert.go).
func Config(given *linter.Config, file *syntax.File) (*linter.Config, error) {
	if given != nil {
		config := *given
		return &config, nil
	}
	options, _, _, _ := parser.ParseDirective("check", file.Source.Data)
	return linter.ParseLintOptions(options)
}

// Report passes diagnostics to BuildKit's linter, which skips those that config skips. It
// returns an error if config sets "# check=error=true" and there are others.
func Report(config *linter.Config, diagnostics source.List) error {
	l := linter.New(config)
	for _, d := range diagnostics {
		rule := &linter.LinterRule[func()]{Name: d.Name, Description: d.Summary()}
		l.Run(rule, []parser.Range{llb.DiagnosticRange(d)}, d.Summary()+"; "+d.Hint)
	}
	return l.Error()
}

// IsFromLowering reports whether lowering caused a violation that BuildKit's linter
// reports: a constant --platform that replaces the platform of a reference, or a
// "# platforms=" comment that the linter reads as the description of a stage or ARG. The
// set is nil for a plain Dockerfile.
func IsFromLowering(set *plan.Set, rule string, location []parser.Range) bool {
	if set == nil || len(location) == 0 {
		return false
	}
	file, line := set.Targets[0].File, location[0].Start.Line // lowering keeps lines
	switch rule {
	case linter.RuleFromPlatformFlagConstDisallowed.Name:
		from := file.InstructionAt(file.Source.LineSpan(line))
		return slices.ContainsFunc(set.Targets, func(t *plan.Target) bool { return t.AddsPlatform(from) })
	case linter.RuleInvalidDefinitionDescription.Name:
		return isBelowPlatforms(file, line)
	}
	return false
}

// isBelowPlatforms reports whether "# platforms=" is the comment above a line. Like
// BuildKit, it skips blank lines.
func isBelowPlatforms(file *syntax.File, line int) bool {
	if file.Platforms == nil {
		return false
	}
	above := line - 1
	for above > 0 && strings.TrimSpace(file.Source.LineSpan(above).Text()) == "" {
		above--
	}
	return above == file.PlatformsSpan.Pos().Line
}
