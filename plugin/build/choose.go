package build

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/platforms"
	"github.com/docker/buildx/build"
	"github.com/docker/buildx/driver"
	"github.com/docker/buildx/util/buildflags"
	"github.com/docker/buildx/util/platformutil"
	"github.com/docker/buildx/util/urlutil"
	"github.com/moby/buildkit/frontend/dockerui"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/selection"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/inprocess"
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
		return nil, fmt.Errorf("--call=%s takes one stage; %d were selected", results[0].build.CallFunc.Name, len(results))
	}
	return results, nil
}

// selection returns the requested stages and their platforms. For the declared platforms,
// a check and a matrix list in their result which stages cannot be built, so that selection
// returns the stages without platforms. It still returns an error if a stage cannot be
// checked for a platform that was given by name.
func (o *options) selection(file *syntax.File, env plan.Env, asked selection.Platforms) (*selection.Selection, error) {
	call, err := buildflags.ParseCallFunc(o.call)
	if err != nil {
		return nil, err
	}
	listsImpossible := call != nil && (call.Name == "lint" || call.Name == "matrix") && len(file.Platforms) > 0 && asked.OnlyDeclared(file)
	if !listsImpossible {
		return selection.Select(file, env, o.stages.Patterns, asked)
	}
	if call.Name == "lint" && len(asked.Requested) > 0 {
		if _, err := selection.Select(file, env, o.stages.Patterns, asked); err != nil {
			return nil, err
		}
	}
	return selection.Stages(file, o.stages.Patterns)
}

// ownPlatform returns the platform of a build without --platform: the first one of the
// builder.
func (r *buildRun) ownPlatform(ctx context.Context) (ocispecs.Platform, error) {
	for _, node := range r.builder.Nodes {
		if node.Driver == nil || node.Err != nil {
			continue
		}
		// This starts a builder that is not running.
		c, err := driver.Boot(ctx, ctx, node.Driver, r.printer)
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

// dockerfile reads the Dockerfile from this machine, or through the builder if the context
// is remote, such as a Git repository.
func (r *buildRun) dockerfile(ctx context.Context, o options, env cli.LookupEnv) (*syntax.File, error) {
	remote := urlutil.IsRemoteURL(o.contextPath) || urlutil.IsHTTPURL(o.file)
	if !remote && (o.contextPath != "-" || o.file == "-") {
		return cli.ReadDockerfile(o.contextPath, o.file, r.stdin.reader())
	}
	target, _ := o.stages.Name()
	req, err := o.forDockerfile().request(target, env)
	if err != nil {
		return nil, err
	}
	if err := req.attach(r.dockerCLI, r.stdin.reader()); err != nil {
		return nil, err
	}
	var src *dockerui.Source
	reader := inprocess.New(func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		bc, err := dockerui.NewClient(c)
		if err != nil {
			return nil, err
		}
		src, err = bc.ReadEntrypoint(ctx, "Dockerfile")
		return gateway.NewResult(), err
	})
	if _, err := r.solve(ctx, reader.Handler(), map[string]build.Options{defaultTarget: req.build}, r.printer); err != nil {
		return nil, fmt.Errorf("failed to build: %w", r.builder.Explain(ctx, err))
	}
	if src == nil {
		return nil, errors.New("the builder did not return a Dockerfile")
	}
	return syntax.Parse(source.NewFile(src.Filename, src.Data))
}

// forDockerfile returns the flags that affect how a remote Dockerfile is read: those for
// fetching its source, and those that a policy can depend on.
func (o *options) forDockerfile() *options {
	return &options{
		inputOptions: inputOptions{
			contextPath: o.contextPath, file: o.file, buildArgs: o.buildArgs, secrets: o.secrets, ssh: o.ssh,
		},
		outputOptions: outputOptions{labels: o.labels},
		stepOptions:   stepOptions{network: o.network, policies: o.policies},
		runOptions:    runOptions{frontend: o.frontend, progress: o.progress, quiet: o.quiet, call: "outline"},
	}
}
