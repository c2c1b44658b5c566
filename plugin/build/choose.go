package build

import (
	"context"
	"fmt"

	"github.com/containerd/platforms"
	"github.com/docker/buildx/driver"
	"github.com/docker/buildx/util/buildflags"
	"github.com/docker/buildx/util/platformutil"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/selection"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/plugin/cli"
)

// choose returns the requested results. It reads the Dockerfile only if the flags depend
// on it.
func (r *buildRun) choose(ctx context.Context, o options, env cli.LookupEnv) ([]*resultBuild, error) {
	wanted, err := cli.ParsePlatforms(o.platforms)
	if err != nil {
		return nil, err
	}
	if wanted.Local && (wanted.All || len(wanted.Names) > 0) {
		own, err := r.ownPlatform(ctx)
		if err != nil {
			return nil, err
		}
		wanted.Names = append([]string{guard.FormatPlatform(own)}, wanted.Names...)
	}
	o.platforms = wanted.Names
	if _, one := o.stages.Name(); one && !wanted.All && !o.HasTemplate() {
		return o.onlyResult(env)
	}
	return r.selectResults(ctx, o, wanted.All, env)
}

// selectResults reads the Dockerfile, and returns the results of the selected stages.
func (r *buildRun) selectResults(ctx context.Context, o options, all bool, lookup cli.LookupEnv) ([]*resultBuild, error) {
	if err := r.stdin.spool(ctx, o.contextPath == "-" || o.file == "-"); err != nil {
		return nil, err
	}
	own, err := r.ownPlatform(ctx)
	if err != nil {
		return nil, err
	}
	file, err := r.dockerfile(ctx, o, lookup)
	if err != nil {
		return nil, err
	}
	if len(file.Stages) == 0 {
		return nil, fmt.Errorf("%s: %w", file.Source.Name, file.BuildKitError())
	}
	env, err := cli.PlanEnv(own, o.buildArgs, o.contexts, lookup)
	if err != nil {
		return nil, err
	}
	named, err := platformutil.Parse(o.platforms)
	if err != nil {
		return nil, err
	}
	chosen, err := o.selection(file, env, selection.Platforms{Requested: named, All: all})
	if err != nil {
		return nil, err
	}
	r.notes = chosen.Notes
	results, err := o.results(file, env, chosen.Results, lookup)
	if err != nil {
		return nil, err
	}
	if len(results) > 1 && results[0].build.CallFunc != nil {
		return nil, fmt.Errorf("--call=%s takes one stage; %d were selected", o.call, len(results))
	}
	return results, nil
}

// selection returns the requested stages and their platforms. A check and a matrix list the
// stages that cannot be built for declared platforms in their result.
func (o *options) selection(file *syntax.File, env plan.Env, asked selection.Platforms) (*selection.Selection, error) {
	call, err := buildflags.ParseCallFunc(o.call)
	switch {
	case err != nil:
		return nil, err
	case call != nil && call.Name == "lint":
		return selection.SelectForCheck(file, env, o.stages.Patterns, asked)
	case call != nil && call.Name == "matrix" && len(file.Platforms) > 0 && asked.OnlyDeclared(file):
		return selection.Stages(file, o.stages.Patterns)
	}
	return selection.Select(file, env, o.stages.Patterns, asked)
}

// ownPlatform returns the platform of a build without --platform: the first one of the
// builder.
func (r *buildRun) ownPlatform(ctx context.Context) (ocispecs.Platform, error) {
	for _, node := range r.Builder.Nodes {
		if node.Driver == nil || node.Err != nil {
			continue
		}
		// This starts a builder that is not running.
		c, err := driver.Boot(ctx, ctx, node.Driver, r.Printer)
		if err != nil {
			return ocispecs.Platform{}, fmt.Errorf("getting the platform of the builder: %w", err)
		}
		workers, err := c.ListWorkers(ctx)
		if err != nil {
			return ocispecs.Platform{}, fmt.Errorf("getting the platform of the builder: %w", err)
		}
		if len(workers) > 0 && len(workers[0].Platforms) > 0 {
			return platforms.Normalize(workers[0].Platforms[0]), nil
		}
	}
	return cli.LocalPlatform(), nil
}
