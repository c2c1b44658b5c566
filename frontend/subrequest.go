package frontend

import (
	"context"
	"slices"

	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/llb"
)

// subrequest answers what a client asks about a file instead of building it, with
// BuildKit's own answers for the lowered file.
func (r *request) subrequest(ctx context.Context, file *syntax.File) (*client.Result, bool, error) {
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
		ListTargets: func(ctx context.Context) (*targets.List, error) {
			return r.listTargets(ctx, file)
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
	if !file.UsesLanguage {
		platform = nil
	}
	w, err := r.lower(ctx, file, []*ocispecs.Platform{platform})
	if err != nil {
		return llb.Input{}, err
	}
	return w.targets[0], nil
}

// listTargets lists every stage that there is for the platform.
func (r *request) listTargets(ctx context.Context, file *syntax.File) (*targets.List, error) {
	if !file.UsesLanguage {
		return dockerfile2llb.ListTargets(ctx, file.Source.Data)
	}
	env := r.env()
	env.Target = env.Build
	if platform := r.targetPlatforms()[0]; platform != nil {
		env.Target = *platform
	}
	p, err := plan.Resolve(file, env)
	if err != nil {
		return nil, err
	}
	list, err := dockerfile2llb.ListTargets(ctx, plan.Lower(p))
	if err != nil {
		return nil, err
	}
	list.Sources = [][]byte{file.Source.Data}
	for i := range list.Targets {
		list.Targets[i].Default = p.Default != nil && i == p.Default.Position()
	}
	return list, nil
}

// lint checks the file for every platform that is asked for, each finding once.
func (r *request) lint(ctx context.Context, file *syntax.File) (*lint.LintResults, error) {
	platforms := r.targetPlatforms()
	if !file.UsesLanguage {
		platforms = []*ocispecs.Platform{nil}
	}
	merged := &lint.LintResults{}
	for _, platform := range platforms {
		w, err := r.lower(ctx, file, []*ocispecs.Platform{platform})
		if err != nil {
			return r.lintError(err), nil
		}
		in := w.targets[0]
		in.Target = r.Target
		found, err := dockerfile2llb.DockerfileLint(ctx, in.Dockerfile, r.converter.For(in))
		if err != nil {
			return nil, err
		}
		merged.Sources = found.Sources
		// What one platform finds twice, in one line, are two findings.
		known := merged.Warnings
		for _, w := range found.Warnings {
			if !slices.ContainsFunc(known, func(other lint.Warning) bool { return sameWarning(w, other) }) {
				merged.Warnings = append(merged.Warnings, w)
			}
		}
		if merged.Error == nil {
			merged.Error = found.Error
		}
	}
	return merged, nil
}

func sameWarning(a, b lint.Warning) bool {
	return a.RuleName == b.RuleName && a.Detail == b.Detail && a.Location.EqualVT(b.Location)
}

// refuse answers a request for a file that is faulty on every platform. A client
// that asked for a check is told so in the check's own result.
func (r *request) refuse(ctx context.Context, fault error) (*client.Result, error) {
	if r.BuildOpts().Opts[keyRequest] != lint.RequestLint {
		return nil, fault
	}
	res, _, err := r.HandleSubrequest(ctx, dockerui.RequestHandler{
		Lint: func(context.Context) (*lint.LintResults, error) { return r.lintError(fault), nil },
	})
	return res, err
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
