package pipeline

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
	"github.com/docker/cli/cli/command"
	"github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/connect"
	"github.com/stagebuild/stagebuild/plugin/inprocess"
)

// defaultTarget is buildx's name for the target of a call with a single target.
const defaultTarget = "default"

// Pipeline builds on one builder.
type Pipeline struct {
	DockerCLI command.Cli
	Builder   *connect.Builder
	// Frontend is nil if buildx runs a frontend image.
	Frontend *inprocess.Frontend
	Printer  *progress.Printer
}

// Target is the build of a stage for one or more platforms.
type Target struct {
	// Name tells the target from the others. It is "" for the only target.
	Name string
	// Options are the input of buildx. Options.Ref must be set if there are several targets.
	Options build.Options
	// Platforms are the requested platforms. buildx modifies Options.Platforms.
	Platforms []ocispecs.Platform
	// Files are the output files. They have temporary names until the build succeeds.
	Files *cli.OutputFiles

	outcome *Outcome // nil until the build has ended
	steps   Steps
}

// Outcome is the outcome of a target.
type Outcome struct {
	Response *client.SolveResponse // nil after an error
	Err      error
	Duration time.Duration
	// Inputs are the inputs of the target, with the source of a Dockerfile that is not in
	// the context, which buildx adds.
	Inputs build.Inputs
	Steps  *Steps
}

// Build builds the targets at the same time, and returns their outcomes in the same order.
// With failFast, the first failure cancels the other targets.
func (p *Pipeline) Build(ctx context.Context, targets []*Target, failFast bool) []*Outcome {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &run{Pipeline: p, began: time.Now(), failed: func() {}}
	if failFast {
		r.failed = cancel
	}
	r.build(ctx, targets)
	outcomes := make([]*Outcome, len(targets))
	for i, t := range targets {
		outcomes[i] = t.outcome
	}
	return outcomes
}

// Evaluate runs a frontend function with the inputs of a build. It builds nothing and returns
// only the error: f keeps its own result.
func (p *Pipeline) Evaluate(ctx context.Context, options build.Options, f gateway.BuildFunc) error {
	_, err := p.solve(ctx, inprocess.New(f).Handler(), map[string]build.Options{defaultTarget: options}, p.Printer)
	return p.explain(ctx, err)
}

// solve calls buildx's pipeline. It returns the responses by target.
func (p *Pipeline) solve(ctx context.Context, handler *build.Handler, targets map[string]build.Options, pw progress.Writer) (map[string]*client.SolveResponse, error) {
	return build.Build(ctx, p.Builder.Nodes, targets, dockerutil.NewClient(p.DockerCLI), confutil.NewConfig(p.DockerCLI), pw, handler)
}

// explain returns the error of a build with the builder's explanation. It returns nil for nil.
func (p *Pipeline) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("failed to build: %w", p.Builder.Explain(ctx, err))
}

// run is one call of [Pipeline.Build].
type run struct {
	*Pipeline
	began  time.Time
	failed func() // called for each target that fails
}

// build builds the targets, if possible with one call of buildx's pipeline.
func (r *run) build(ctx context.Context, targets []*Target) {
	if len(targets) == 1 {
		r.call(ctx, targets)
		return
	}
	d := inprocess.Distribute(ctx, r.Builder.Nodes, distributable(targets), r.Printer)
	for _, t := range targets {
		if err := d.Failed[t.Options.Ref]; err != nil {
			r.end(ctx, t, err)
		}
	}
	if r.Frontend != nil {
		defer r.Frontend.Share(ctx, d, r.Printer)()
	}
	forEach(d.Calls, func(refs []string) {
		r.call(ctx, slices.DeleteFunc(slices.Clone(targets), func(t *Target) bool {
			return !slices.Contains(refs, t.Options.Ref)
		}))
	})
}

func distributable(targets []*Target) []inprocess.Target {
	var list []inprocess.Target
	for _, t := range targets {
		list = append(list, inprocess.Target{Ref: t.Options.Ref, Stage: t.Options.Target, Platforms: t.Platforms})
	}
	return list
}

// forEach calls f with each item, all at the same time, and waits.
func forEach[T any](items []T, f func(T)) {
	var calls sync.WaitGroup
	for _, item := range items {
		calls.Go(func() { f(item) })
	}
	calls.Wait()
}

// call builds targets with one call of buildx's pipeline.
func (r *run) call(ctx context.Context, targets []*Target) {
	options := map[string]build.Options{}
	byName := map[string]*Target{}
	for _, t := range targets {
		name := cmp.Or(t.Name, defaultTarget)
		options[name], byName[name] = t.Options, t
	}
	responses, err := r.solve(ctx, r.handler(ctx, byName), options, r.stepWriter(targets))
	isEnded := func(t *Target) bool { return t.outcome != nil }
	if err != nil && len(targets) > 1 && !slices.ContainsFunc(targets, isEnded) && ctx.Err() == nil {
		// buildx sets up every target before it builds the first one, and fails if it
		// cannot set up one of them. Only that target may fail, so build each by itself.
		forEach(targets, func(t *Target) { r.call(ctx, []*Target{t}) })
		return
	}
	for name, t := range byName {
		if !isEnded(t) {
			r.end(ctx, t, cmp.Or(ctx.Err(), err))
		}
		if t.outcome.Err == nil {
			r.complete(t, responses[name], options[name].Inputs)
		}
	}
}

// handler returns the handler of a call. Each target fails by itself.
func (r *run) handler(ctx context.Context, targets map[string]*Target) *build.Handler {
	handler := &build.Handler{}
	if r.Frontend != nil {
		handler = r.Frontend.Handler()
	}
	handler.Execution.Mode = build.ExecutionModeDeferError
	handler.Completed = func(name string, res build.TargetResult) {
		r.end(ctx, targets[name], withoutTarget(res.Err, name))
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

// end sets the outcome of a target, and moves its output files to their places.
func (r *run) end(ctx context.Context, t *Target, err error) {
	err = r.explain(ctx, t.Files.End(err))
	t.outcome = &Outcome{Err: err, Duration: time.Since(r.began), Inputs: t.Options.Inputs, Steps: &t.steps}
	if err != nil {
		r.failed()
	}
}

// complete adds buildx's response to the outcome of a target.
func (r *run) complete(t *Target, response *client.SolveResponse, inputs build.Inputs) {
	t.outcome.Response, t.outcome.Inputs = response, inputs
	if r.Frontend == nil {
		return
	}
	for k, v := range r.Frontend.CallResult(t.Platforms) {
		response.ExporterResponse[k] = string(v)
	}
}
