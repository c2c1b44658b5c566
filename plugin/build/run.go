package build

import (
	"github.com/stagebuild/stagebuild/plugin/cli"

	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/docker/buildx/build"
	"github.com/docker/buildx/util/confutil"
	"github.com/docker/buildx/util/dockerutil"
	"github.com/docker/buildx/util/progress"
	"github.com/docker/cli/cli/command"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/progress/progressui"

	"github.com/stagebuild/stagebuild/plugin/connect"
	"github.com/stagebuild/stagebuild/plugin/inprocess"
)

// buildRun is one run of the build command on a builder.
type buildRun struct {
	dockerCLI command.Cli
	builder   *connect.Builder
	// frontend is nil where buildx's pipeline runs an image by itself.
	frontend *inprocess.Frontend
	printer  *progress.Printer
	stdin    *stdin
	// failed has why a result cannot be built, by its build's Ref, where that is
	// known beforehand.
	failed map[string]error
	// notes say what was left out.
	notes []string
}

// outcome is what became of a result.
type outcome struct {
	response *client.SolveResponse
	err      error
	duration time.Duration
	steps    *stepCounter
}

// build builds the results, all at once. With failFast the first that fails stops
// the others.
func (r *buildRun) build(ctx context.Context, results []*resultBuild, failFast bool) error {
	for _, res := range results {
		if err := checkPlatforms(ctx, r.builder, res.platforms); err != nil {
			return err
		}
		if err := removeStale(res.Flags.ImageIDFile); err != nil {
			return err
		}
		if err := res.attach(r.dockerCLI, r.stdin.reader()); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if len(results) > 1 && r.frontend != nil {
		var done func()
		done, r.failed = r.frontend.Share(ctx, r.builder.Nodes, targetsOf(results), r.printer)
		defer done()
	}
	var building sync.WaitGroup
	for _, res := range results {
		building.Go(func() {
			res.outcome = r.buildOne(ctx, res)
			if res.outcome.err != nil && failFast {
				cancel()
			}
		})
	}
	building.Wait()
	return nil
}

func targetsOf(results []*resultBuild) []inprocess.Target {
	var targets []inprocess.Target
	for _, res := range results {
		targets = append(targets, inprocess.Target{Ref: res.build.Ref, Stage: res.build.Target, Platforms: res.platforms})
	}
	return targets
}

func (r *buildRun) buildOne(ctx context.Context, res *resultBuild) *outcome {
	began := time.Now()
	steps := &stepCounter{Writer: r.printer, name: res.Name}
	var handler *build.Handler
	if r.frontend != nil {
		handler = r.frontend.Handler()
	}
	var resp *client.SolveResponse
	err := r.failed[res.build.Ref]
	if err == nil {
		resp, err = r.solve(ctx, handler, &res.build, steps)
	}
	err = res.files.End(err)
	if err != nil {
		err = fmt.Errorf("failed to build: %w", r.builder.Explain(ctx, err))
	} else if r.frontend != nil {
		for k, v := range r.frontend.CallResult(res.platforms) {
			resp.ExporterResponse[k] = string(v)
		}
	}
	return &outcome{response: resp, err: err, duration: time.Since(began), steps: steps}
}

// solve runs buildx's pipeline and returns the response of its one target.
func (r *buildRun) solve(ctx context.Context, handler *build.Handler, opts *build.Options, pw progress.Writer) (*client.SolveResponse, error) {
	// buildx keys builds by name, and shows this one in build details.
	const target = "default"
	targets := map[string]build.Options{target: *opts}
	resps, err := build.Build(ctx, r.builder.Nodes, targets, dockerutil.NewClient(r.dockerCLI), confutil.NewConfig(r.dockerCLI), pw, handler)
	if err != nil {
		return nil, err
	}
	// buildx fills in where a Dockerfile from elsewhere came from.
	opts.Inputs = targets[target].Inputs
	return resps[target], nil
}

// finish writes and prints what there is to say about the results, each by
// itself: the error is that of all that failed.
func (r *buildRun) finish(ctx context.Context, results []*resultBuild) error {
	quiet := results[0].display == progressui.QuietMode || results[0].display == progressui.RawJSONMode
	if !quiet {
		printBuildDetails(r.printer)
	}
	for _, res := range results {
		if res.outcome.err == nil {
			res.outcome.err = finish(r.dockerCLI.Out(), res.Flags, res.request, res.outcome.response, r.printer)
		}
	}
	if !quiet {
		r.summarise(ctx, results)
	}
	if len(results) == 1 {
		return results[0].outcome.err
	}
	err := failuresOf(results)
	if list, failed := err.(cli.Failures); failed && ctx.Err() != nil { //nolint:errorlint // it is not wrapped
		return errors.Join(list, ctx.Err())
	}
	return err
}

// failuresOf returns the failures, or nil. Results with the same error, as of a
// Dockerfile that cannot be read, are one. Those that were only stopped because
// another one failed say nothing.
func failuresOf(results []*resultBuild) error {
	var list cli.Failures
	var stopped error
	byText := map[string]*cli.Failure{}
	for _, res := range results {
		err := res.outcome.err
		if err == nil {
			continue
		}
		if cli.Interrupted(err) {
			stopped = err
			continue
		}
		text := err.Error()
		if byText[text] == nil {
			byText[text] = &cli.Failure{Err: err}
			list = append(list, byText[text])
		}
		byText[text].Names = append(byText[text].Names, res.Name)
	}
	if len(list) == 0 {
		return stopped
	}
	return list
}
