package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
func (r *buildRun) build(ctx context.Context, results []*result, failFast bool) error {
	for _, res := range results {
		if err := checkPlatforms(ctx, r.builder, res.platforms); err != nil {
			return err
		}
		if err := removeStale(res.options.imageIDFile); err != nil {
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

func targetsOf(results []*result) []inprocess.Target {
	var targets []inprocess.Target
	for _, res := range results {
		targets = append(targets, inprocess.Target{Ref: res.build.Ref, Stage: res.build.Target, Platforms: res.platforms})
	}
	return targets
}

func (r *buildRun) buildOne(ctx context.Context, res *result) *outcome {
	began := time.Now()
	steps := &stepCounter{Writer: r.printer, name: res.name}
	var handler *build.Handler
	if r.frontend != nil {
		handler = r.frontend.Handler()
	}
	var resp *client.SolveResponse
	err := r.failed[res.build.Ref]
	if err == nil {
		resp, err = r.solve(ctx, handler, &res.build, steps)
	}
	err = res.files.end(err)
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
func (r *buildRun) finish(ctx context.Context, results []*result) error {
	quiet := results[0].display == progressui.QuietMode || results[0].display == progressui.RawJSONMode
	if !quiet {
		printBuildDetails(r.printer)
	}
	for _, res := range results {
		if res.outcome.err == nil {
			res.outcome.err = finish(r.dockerCLI.Out(), res.options, res.request, res.outcome.response, r.printer)
		}
	}
	if !quiet {
		r.summarise(ctx, results)
	}
	if len(results) == 1 {
		return results[0].outcome.err
	}
	err := failuresOf(results)
	if list, failed := err.(failures); failed && ctx.Err() != nil { //nolint:errorlint // it is not wrapped
		return errors.Join(list, ctx.Err())
	}
	return err
}

// failures are the results that could not be built.
type failures []*failure

// failure is an error, and the results that it is of.
type failure struct {
	names []string
	err   error
}

// failuresOf returns the failures, or nil. Results with the same error, as of a
// Dockerfile that cannot be read, are one. Those that were only stopped because
// another one failed say nothing.
func failuresOf(results []*result) error {
	var list failures
	var stopped error
	byText := map[string]*failure{}
	for _, res := range results {
		err := res.outcome.err
		if err == nil {
			continue
		}
		if interrupted(err) {
			stopped = err
			continue
		}
		text := err.Error()
		if byText[text] == nil {
			byText[text] = &failure{err: err}
			list = append(list, byText[text])
		}
		byText[text].names = append(byText[text].names, res.name)
	}
	if len(list) == 0 {
		return stopped
	}
	return list
}

// Error returns the errors, one below the other.
func (f failures) Error() string {
	return errors.Join(f.Unwrap()...).Error()
}

// Unwrap returns the errors.
func (f failures) Unwrap() []error {
	var errs []error
	for _, one := range f {
		errs = append(errs, one)
	}
	return errs
}

// Error says which results failed, and why.
func (f *failure) Error() string {
	return strings.Join(f.names, ", ") + ": " + f.err.Error()
}

// Unwrap returns the error of the results.
func (f *failure) Unwrap() error { return f.err }
