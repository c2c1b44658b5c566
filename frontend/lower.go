package frontend

import (
	"context"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/llb"
)

// lower decides and lowers the file for each platform, before anything is asked
// of the daemon. Errors of all platforms come back together, as a source.List.
func (r *request) lower(ctx context.Context, file *syntax.File, targets []*ocispecs.Platform) ([]llb.Input, error) {
	inputs := make([]llb.Input, len(targets))
	var problems source.List
	for i, platform := range targets {
		inputs[i] = llb.Input{Dockerfile: file.Source.Data, Target: r.Target, Platform: platform}
		if !file.UsesLanguage {
			continue
		}
		p, err := plan.Resolve(file, r.env(platform))
		if err != nil {
			problems = append(problems, source.Diagnostics(err)...)
			continue
		}
		inputs[i].Dockerfile = plan.Lower(p)
		inputs[i].Target = p.TargetName
	}
	for i := range inputs {
		// The platforms of a plain file find the same, so one of them warns, as
		// in BuildKit. Those of a staged one do not.
		if i == 0 || file.UsesLanguage {
			inputs[i].Warn = r.warn(ctx)
		}
	}
	return inputs, problems.Err()
}

// env returns what decides for one platform.
func (r *request) env(platform *ocispecs.Platform) plan.Env {
	build := platforms.DefaultSpec()
	if len(r.BuildPlatforms) > 0 {
		build = r.BuildPlatforms[0]
	}
	env := plan.Env{
		Target:   build,
		Build:    build,
		Args:     r.BuildArgs,
		Stage:    r.Target,
		Contexts: map[string]bool{},
		// A check without a target is of all stages, as in BuildKit.
		AllStages: r.Target == "" && r.BuildOpts().Opts[keyRequest] == lint.RequestLint,
	}
	if platform != nil {
		env.Target = *platform
	}
	for key := range r.BuildOpts().Opts {
		if name, ok := strings.CutPrefix(key, keyContextPrefix); ok {
			// A context may be given for one platform: name::platform.
			name, _, _ = strings.Cut(name, "::")
			env.Contexts[strings.ToLower(name)] = true
		}
	}
	return env
}
