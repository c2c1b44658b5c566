package frontend

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagebuild/stagebuild/frontend/gateway"
	"github.com/stagebuild/stagebuild/frontend/guard"
	stagelint "github.com/stagebuild/stagebuild/frontend/lint"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/llb"
	"golang.org/x/sync/errgroup"
)

// subrequest answers what a client asks about a file instead of building it: a
// question of this frontend's own, or with BuildKit's answer for the lowered file.
func (r *request) subrequest(ctx context.Context, file *syntax.File) (*client.Result, bool, error) {
	if res, ok, err := r.question(file); ok {
		return res, true, err
	}
	res, ok, err := r.buildkitSubrequest(ctx, file)
	if res != nil && r.BuildOpts().Opts[gateway.OptionRequestID] == subrequests.RequestSubrequestsDescribe {
		res, err = describe(res)
	}
	return res, ok, err
}

func (r *request) buildkitSubrequest(ctx context.Context, file *syntax.File) (*client.Result, bool, error) {
	return r.HandleSubrequest(ctx, dockerui.RequestHandler{
		Outline: func(ctx context.Context) (*outline.Outline, error) {
			in, err := r.lowerOne(ctx, file)
			if err != nil {
				return nil, err
			}
			o, err := dockerfile2llb.Dockerfile2Outline(ctx, in.Dockerfile, r.converter.For(in))
			if err != nil {
				return nil, err
			}
			if len(o.Sources) > 0 {
				o.Sources = [][]byte{file.Source.Data}
			}
			return o, nil
		},
		ListTargets: func(context.Context) (*targets.List, error) {
			return r.listTargets(file)
		},
		Lint: func(ctx context.Context) (*lint.LintResults, error) {
			return r.lint(ctx, file)
		},
		ConvertLLB: func(ctx context.Context) (*convertllb.Result, error) {
			in, err := r.lowerOne(ctx, file)
			if err != nil {
				return nil, err
			}
			return dockerfile2llb.DockerfileConvertLLB(ctx, in.Dockerfile, r.converter.For(in))
		},
	})
}

// lowerOne lowers the file for a question about one platform: the first that is
// asked for. BuildKit answers such questions about a plain file for its own.
func (r *request) lowerOne(ctx context.Context, file *syntax.File) (llb.Input, error) {
	platform := r.targetPlatforms()[0]
	if !file.IsStaged {
		platform = nil
	}
	w, err := r.lower(ctx, file, []*ocispecs.Platform{platform})
	if err != nil {
		return llb.Input{}, err
	}
	return w.targets[0], nil
}

// listTargets lists every stage that there is for the platform.
func (r *request) listTargets(file *syntax.File) (*targets.List, error) {
	if !file.IsStaged {
		return targetsOf(file.Source.Data)
	}
	env := r.env()
	target := env.Build
	if platform := r.targetPlatforms()[0]; platform != nil {
		target = *platform
	}
	available, err := plan.Available(file, env, []guard.Platform{target}, r.Target)
	if err != nil {
		return nil, err
	}
	t := available.Target(r.Target, 0) // which need not be there
	list, err := targetsOf(plan.Lower(t.Plan))
	if err != nil {
		return nil, err
	}
	list.Sources = [][]byte{file.Source.Data}
	for i := range list.Targets {
		list.Targets[i].Default = t.Default != nil && i == t.Default.Position()
	}
	return list, nil
}

// targetsOf lists the stages of a plain file, as ListTargets in BuildKit's
// dockerfile2llb/convert.go does: that has no linter for the comments that would
// configure one, and panics.
func targetsOf(dockerfile []byte) (*targets.List, error) {
	parsed, err := parser.Parse(bytes.NewReader(dockerfile))
	if err != nil {
		return nil, err
	}
	stages, _, err := instructions.Parse(parsed.AST, linter.New(&linter.Config{}))
	if err != nil {
		return nil, err
	}
	list := &targets.List{Sources: [][]byte{dockerfile}}
	for i, s := range stages {
		list.Targets = append(list.Targets, targets.Target{
			Name:        s.Name,
			Description: s.DocComment,
			Default:     i == len(stages)-1,
			Base:        s.BaseName,
			Platform:    s.Platform,
			Location:    &pb.Location{Ranges: toRanges(s.Location)},
		})
	}
	return list, nil
}

// lowerForCheck lowers the file for every platform that is asked for, or else for those
// that the file declares, but for any that the target cannot be built for.
func (r *request) lowerForCheck(ctx context.Context, file *syntax.File) (*work, error) {
	if !file.IsStaged {
		return r.plain(ctx, file, []*ocispecs.Platform{nil}), nil
	}
	decide, targets := resolving(plan.Resolve), r.targetPlatforms()
	declared := len(r.asked) == 0 && len(file.Platforms) > 0
	if declared {
		decide, targets = plan.ResolvePossible, pointers(file.Platforms)
	}
	set, err := r.resolve(ctx, decide, file, targets)
	if err != nil {
		return nil, err
	}
	if declared {
		targets = nil
		for _, t := range set.Targets {
			targets = append(targets, &t.Platform)
		}
	}
	if r.Target == "" {
		set = set.WithAllInputs()
	}
	return r.lowerSet(ctx, set, targets)
}

// lint checks the file for every platform that is asked for, or that the file
// declares: with BuildKit's rules and, for a file that uses the language, ours.
// Each finding is reported once.
func (r *request) lint(ctx context.Context, file *syntax.File) (*lint.LintResults, error) {
	w, err := r.lowerForCheck(ctx, file)
	if err != nil {
		return r.lintError(err), nil
	}
	found := make([]*lint.LintResults, len(w.targets))
	eg, ctx := errgroup.WithContext(ctx)
	for i, in := range w.targets {
		eg.Go(func() (err error) {
			found[i], err = r.lintOne(ctx, w, i, in)
			return err
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	merged := findings{results: &lint.LintResults{}, platforms: len(w.targets)}
	for i, in := range w.targets {
		merged.add(found[i], in.Platform)
	}
	if w.set == nil {
		return merged.done(), nil
	}
	config, err := r.lintConfig(file)
	if err != nil {
		return nil, err
	}
	index := merged.results.AddSource(r.source.SourceMap)
	config.Warn = func(rule, description, url, message string, location []parser.Range) {
		merged.results.AddWarning(rule, description, url, message, index, location)
	}
	merged.done()
	for _, err := range []error{stagelint.Check(file, w.set, *config), runRules(config, w.warnings())} {
		if err != nil && merged.results.Error == nil {
			merged.results.Error = &lint.BuildError{Message: err.Error()}
		}
	}
	return merged.results, nil
}

// lintOne checks what the file is for the target at an index, with BuildKit's rules.
func (r *request) lintOne(ctx context.Context, w *work, i int, in llb.Input) (*lint.LintResults, error) {
	in.Target, in.AllStages = r.Target, false
	if w.set != nil {
		in.Dockerfile = plan.Lower(w.set.Targets[i].Plan) // with the stages that nothing needs
	}
	found, err := dockerfile2llb.DockerfileLint(ctx, in.Dockerfile, r.converter.For(in))
	if err != nil {
		return nil, err
	}
	found.Warnings = slices.DeleteFunc(found.Warnings, func(warning lint.Warning) bool {
		return len(warning.Location.Ranges) > 0 && w.lowered(warning.RuleName, int(warning.Location.Ranges[0].Start.Line))
	})
	return found, nil
}

// lintConfig returns what the request or else the file says of the check rules
// (newRuleLinter in BuildKit's dockerfile2llb/convert.go).
func (r *request) lintConfig(file *syntax.File) (*linter.Config, error) {
	if r.LinterConfig != nil {
		config := *r.LinterConfig
		return &config, nil
	}
	options, _, _, _ := parser.ParseDirective("check", file.Source.Data)
	return linter.ParseLintOptions(options)
}

// findings merges what BuildKit's linter finds for several platforms.
type findings struct {
	results   *lint.LintResults
	platforms int
	holdsFor  [][]string // the platforms of each warning
}

func (f *findings) add(found *lint.LintResults, platform *ocispecs.Platform) {
	f.results.Sources = found.Sources
	// What is wrong on another platform is worth more than that rules are violated here.
	if err := f.results.Error; err == nil || found.Error != nil && strings.HasPrefix(err.Message, stagelint.Violation) {
		f.results.Error = found.Error
	}
	id := platformID(platform)
	for _, w := range found.Warnings {
		i := f.find(w, id)
		if i < 0 {
			i = len(f.results.Warnings)
			f.results.Warnings = append(f.results.Warnings, w)
			f.holdsFor = append(f.holdsFor, nil)
		}
		f.holdsFor[i] = append(f.holdsFor[i], id)
	}
}

// find returns the place of a warning that another platform had, or -1. One
// platform can have the same twice, for two variables of a line.
func (f *findings) find(w lint.Warning, platform string) int {
	for i, other := range f.results.Warnings {
		same := w.RuleName == other.RuleName && w.Detail == other.Detail && w.Location.EqualVT(other.Location)
		if same && !slices.Contains(f.holdsFor[i], platform) {
			return i
		}
	}
	return -1
}

// done says of each warning that does not hold for all platforms which it holds
// for, and returns the results.
func (f *findings) done() *lint.LintResults {
	for i, platforms := range f.holdsFor {
		if len(platforms) < f.platforms {
			f.results.Warnings[i].Detail += " (for " + strings.Join(platforms, ", ") + ")"
		}
	}
	f.holdsFor = nil
	return f.results
}

// lintError reports diagnostics the way that BuildKit's linter reports an error.
func (r *request) lintError(err error) *lint.LintResults {
	results := &lint.LintResults{Error: &lint.BuildError{Message: err.Error()}}
	results.Error.Location = pb.Location{SourceIndex: int32(results.AddSource(r.source.SourceMap))}
	for _, d := range source.Diagnostics(err) {
		results.Error.Location.Ranges = append(results.Error.Location.Ranges, rangeOf(d))
	}
	return results
}
