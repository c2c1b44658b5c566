package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker/buildx/build"
	"github.com/docker/buildx/util/confutil"
	"github.com/docker/buildx/util/dockerutil"
	"github.com/docker/buildx/util/progress"
	"github.com/moby/buildkit/client"

	"github.com/stagebuild/stagebuild/plugin/inprocess"
)

// defaultTarget is buildx's name for the target of a call with a single result.
const defaultTarget = "default"

// pipeline builds the results of a command with buildx's build pipeline.
type pipeline struct {
	*buildRun
	began  time.Time
	failed func() // called for each result that fails
}

// outcome is the outcome of a result.
type outcome struct {
	response *client.SolveResponse // nil after an error
	err      error
	duration time.Duration
}

// buildAll builds the results at the same time, if possible with one call of buildx's
// pipeline.
func (p *pipeline) buildAll(ctx context.Context, results []*resultBuild) {
	if len(results) == 1 {
		p.call(ctx, results)
		return
	}
	d := inprocess.Distribute(ctx, p.builder.Nodes, targetsOf(results), p.printer)
	for _, res := range results {
		if err := d.Failed[res.build.Ref]; err != nil {
			p.end(ctx, res, err)
		}
	}
	if p.frontend != nil {
		defer p.frontend.Share(ctx, d, p.printer)()
	}
	forEach(d.Calls, func(refs []string) {
		p.call(ctx, slices.DeleteFunc(slices.Clone(results), func(res *resultBuild) bool {
			return !slices.Contains(refs, res.build.Ref)
		}))
	})
}

func targetsOf(results []*resultBuild) []inprocess.Target {
	var targets []inprocess.Target
	for _, res := range results {
		targets = append(targets, inprocess.Target{Ref: res.build.Ref, Stage: res.build.Target, Platforms: res.platforms})
	}
	return targets
}

// forEach calls f with each item, all at the same time, and waits.
func forEach[T any](items []T, f func(T)) {
	var calls sync.WaitGroup
	for _, item := range items {
		calls.Go(func() { f(item) })
	}
	calls.Wait()
}

// call builds results with one call of buildx's pipeline.
func (p *pipeline) call(ctx context.Context, results []*resultBuild) {
	targets := map[string]build.Options{}
	byTarget := map[string]*resultBuild{}
	for _, res := range results {
		name := cmp.Or(res.Name, defaultTarget)
		targets[name], byTarget[name] = res.build, res
	}
	responses, err := p.solve(ctx, p.handler(ctx, byTarget), targets, p.stepWriter(results))
	isEnded := func(res *resultBuild) bool { return res.outcome != nil }
	if err != nil && len(results) > 1 && !slices.ContainsFunc(results, isEnded) && ctx.Err() == nil {
		// buildx sets up every target before it builds the first one, and fails if it
		// cannot set up one of them. Only that result may fail, so build each by itself.
		forEach(results, func(res *resultBuild) { p.call(ctx, []*resultBuild{res}) })
		return
	}
	for name, res := range byTarget {
		if !isEnded(res) {
			p.end(ctx, res, cmp.Or(ctx.Err(), err))
		}
		if res.outcome.err == nil {
			p.complete(res, responses[name], targets[name])
		}
	}
}

// handler returns the handler of a call. Each target fails by itself.
func (p *pipeline) handler(ctx context.Context, results map[string]*resultBuild) *build.Handler {
	handler := &build.Handler{}
	if p.frontend != nil {
		handler = p.frontend.Handler()
	}
	handler.Execution.Mode = build.ExecutionModeDeferError
	handler.Completed = func(target string, r build.TargetResult) {
		p.end(ctx, results[target], withoutTarget(r.Err, target))
	}
	return handler
}

// withoutTarget undoes buildx's wrapping of an error with the name of its target.
func withoutTarget(err error, target string) error {
	if err == nil {
		return nil
	}
	text, isWrapped := strings.CutPrefix(err.Error(), "target "+target+": ")
	for inner := err; isWrapped && inner != nil; inner = errors.Unwrap(inner) {
		if inner.Error() == text {
			return inner
		}
	}
	return err
}

// end sets the outcome of a result, and moves its output files to their places.
func (p *pipeline) end(ctx context.Context, res *resultBuild, err error) {
	if err = res.files.End(err); err != nil {
		err = fmt.Errorf("failed to build: %w", p.builder.Explain(ctx, err))
	}
	res.outcome = &outcome{err: err, duration: time.Since(p.began)}
	if err != nil {
		p.failed()
	}
}

// complete adds the response to the outcome of a result.
func (p *pipeline) complete(res *resultBuild, response *client.SolveResponse, target build.Options) {
	res.outcome.response = response
	// buildx sets the source of a Dockerfile that is not in the context.
	res.build.Inputs = target.Inputs
	if p.frontend == nil {
		return
	}
	for k, v := range p.frontend.CallResult(res.platforms) {
		response.ExporterResponse[k] = string(v)
	}
}

// solve runs buildx's pipeline. It returns the responses by target.
func (r *buildRun) solve(ctx context.Context, handler *build.Handler, targets map[string]build.Options, pw progress.Writer) (map[string]*client.SolveResponse, error) {
	return build.Build(ctx, r.builder.Nodes, targets, dockerutil.NewClient(r.dockerCLI), confutil.NewConfig(r.dockerCLI), pw, handler)
}
