package subrequest

import (
	"context"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	stagelint "github.com/stagebuild/stagebuild/frontend/lint"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/llb"
)

// lint checks the file for every requested or declared platform: with BuildKit's rules,
// and a staged Dockerfile with ours too. It returns each violation once.
func (s *server) lint(ctx context.Context) (*lint.LintResults, error) {
	lowered, err := s.lowerer.Lower(ctx, s.lintScope())
	if err != nil {
		return s.lintError(err), nil
	}
	found := make([]*lint.LintResults, len(lowered.Files))
	eg, ctx := errgroup.WithContext(ctx)
	for i := range lowered.Files {
		eg.Go(func() (err error) {
			found[i], err = s.lintPlatform(ctx, lowered, i)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	merged := mergedLint{results: &lint.LintResults{}, count: len(lowered.Files)}
	for i, file := range lowered.Files {
		merged.add(found[i], file.Platform)
	}
	merged.addPlatformNames()
	if lowered.Set == nil {
		return merged.results, nil
	}
	return merged.results, s.lintStaged(lowered.Set, merged.results)
}

// lintScope returns the scope of a check: the requested platforms, otherwise the
// declared ones that the target can be built for, otherwise the builder's.
func (s *server) lintScope() Scope {
	scope := Scope{Platforms: []*ocispecs.Platform{nil}, AllInputs: s.Target == ""}
	if !s.File.IsStaged {
		return scope
	}
	chosen := s.platforms()
	switch {
	case len(s.Requested) > 0:
		scope.Platforms = pointers(s.Requested)
	case chosen.All:
		scope.Platforms, scope.Possible = pointers(s.File.Platforms), true
	}
	return scope
}

func pointers(platforms []ocispecs.Platform) []*ocispecs.Platform {
	list := make([]*ocispecs.Platform, len(platforms))
	for i := range platforms {
		list[i] = &platforms[i]
	}
	return list
}

// lintPlatform checks the lowered file of one platform with BuildKit's rules.
func (s *server) lintPlatform(ctx context.Context, lowered *Lowered, i int) (*lint.LintResults, error) {
	in := lowered.Files[i]
	in.Target, in.AllStages = s.Target, false
	if lowered.Set != nil {
		in.Dockerfile = plan.Lower(lowered.Set.Targets[i].Plan) // with the unreached stages
	}
	found, err := s.Converter.Lint(ctx, in)
	if err != nil {
		return nil, err
	}
	found.Warnings = slices.DeleteFunc(found.Warnings, func(w lint.Warning) bool {
		return stagelint.IsFromLowering(lowered.Set, w.RuleName, parserRanges(w.Location.Ranges))
	})
	return found, nil
}

// parserRanges converts ranges to those of BuildKit's parser, without columns.
func parserRanges(ranges []*pb.Range) []parser.Range {
	list := make([]parser.Range, len(ranges))
	for i, r := range ranges {
		list[i].Start.Line, list[i].End.Line = int(r.Start.Line), int(r.End.Line)
	}
	return list
}

// lintStaged adds the violations of our own rules to results.
func (s *server) lintStaged(set *plan.Set, results *lint.LintResults) error {
	config, err := stagelint.Config(s.LinterConfig, s.File)
	if err != nil {
		return err
	}
	index := results.AddSource(s.SourceMap)
	config.Warn = func(rule, description, url, message string, location []parser.Range) {
		results.AddWarning(rule, description, url, message, index, location)
	}
	for _, err := range []error{stagelint.Check(s.File, set, *config), stagelint.Report(config, set.Warnings)} {
		if err != nil && results.Error == nil {
			results.Error = &lint.BuildError{Message: err.Error()}
		}
	}
	return nil
}

// lintError returns the results of a check that fails with err. Its location has the ranges
// of the diagnostics.
func (s *server) lintError(err error) *lint.LintResults {
	results := &lint.LintResults{Error: &lint.BuildError{Message: err.Error()}}
	results.Error.Location = pb.Location{SourceIndex: int32(results.AddSource(s.SourceMap))}
	for _, d := range source.Diagnostics(err) {
		ranges := llb.Ranges([]parser.Range{llb.DiagnosticRange(d)})
		results.Error.Location.Ranges = append(results.Error.Location.Ranges, ranges...)
	}
	return results
}

// mergedLint merges the results of BuildKit's linter for several platforms.
type mergedLint struct {
	results   *lint.LintResults
	count     int        // number of platforms
	platforms [][]string // platforms of each warning
}

// add merges the results for one platform.
func (m *mergedLint) add(found *lint.LintResults, platform *ocispecs.Platform) {
	m.results.Sources = found.Sources
	// An error of one platform replaces "lint violation found" of another.
	if err := m.results.Error; err == nil || found.Error != nil && strings.HasPrefix(err.Message, stagelint.Violation) {
		m.results.Error = found.Error
	}
	id := ""
	if platform != nil {
		id = platforms.FormatAll(platforms.Normalize(*platform))
	}
	for _, w := range found.Warnings {
		i := m.find(w, id)
		if i < 0 {
			i = len(m.results.Warnings)
			m.results.Warnings = append(m.results.Warnings, w)
			m.platforms = append(m.platforms, nil)
		}
		m.platforms[i] = append(m.platforms[i], id)
	}
}

// find returns the index of an equal warning of other platforms, or -1. One platform
// can have equal warnings, for two variables of a line.
func (m *mergedLint) find(w lint.Warning, platform string) int {
	for i, other := range m.results.Warnings {
		same := w.RuleName == other.RuleName && w.Detail == other.Detail && w.Location.EqualVT(other.Location)
		if same && !slices.Contains(m.platforms[i], platform) {
			return i
		}
	}
	return -1
}

// addPlatformNames adds the platforms to each warning that not all of them have.
func (m *mergedLint) addPlatformNames() {
	for i, names := range m.platforms {
		if len(names) < m.count {
			m.results.Warnings[i].Detail += " (for " + strings.Join(names, ", ") + ")"
		}
	}
}
