package build

import (
	"context"
	"errors"
	"time"

	"github.com/docker/buildx/util/progress"
	"github.com/docker/cli/cli/command"
	"github.com/moby/buildkit/util/progress/progressui"

	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/connect"
	"github.com/stagebuild/stagebuild/plugin/inprocess"
)

// buildRun is one run of the build command on a builder.
type buildRun struct {
	dockerCLI command.Cli
	builder   *connect.Builder
	// frontend is nil if buildx runs a frontend image.
	frontend *inprocess.Frontend
	printer  *progress.Printer
	stdin    *stdin
	// notes list the stages and platforms that are not built, one a line.
	notes []string
}

// build builds all results at the same time. With failFast, the first failure cancels the
// other builds.
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
	p := &pipeline{buildRun: r, began: time.Now(), failed: func() {}}
	if failFast {
		p.failed = cancel
	}
	p.buildAll(ctx, results)
	return nil
}

// finish writes the files of the results, and prints their output and a summary. It returns
// the errors of the results that failed.
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
		r.summarize(ctx, results)
	}
	if len(results) == 1 {
		return results[0].outcome.err
	}
	err := failuresOf(results)
	if list, failed := err.(cli.Failures); failed && ctx.Err() != nil { //nolint:errorlint // failuresOf does not wrap it
		return errors.Join(list, ctx.Err())
	}
	return err
}

// failuresOf returns a [cli.Failures] if results failed. Results with the same error, such as an
// unreadable Dockerfile, are one failure. A result that was stopped because another failed is none.
func failuresOf(results []*resultBuild) error {
	var list cli.Failures
	var stopped error
	byText := map[string]*cli.Failure{}
	for _, res := range results {
		err := res.outcome.err
		if err == nil {
			continue
		}
		if cli.IsInterrupted(err) {
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
