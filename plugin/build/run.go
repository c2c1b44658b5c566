package build

import (
	"context"
	"fmt"
	"os"

	"github.com/docker/buildx/util/progress"
	"github.com/docker/cli/cli/command"
	"github.com/moby/buildkit/util/progress/progressui"

	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/connect"
	"github.com/stagebuild/stagebuild/plugin/pipeline"
	"github.com/stagebuild/stagebuild/plugin/result"
)

// runBuild builds the requested results, and prints how each ended. It calls the phases of the
// command: connect, choose, build, finish.
func runBuild(ctx context.Context, dockerCLI command.Cli, options *options, display progressui.DisplayMode, env cli.LookupEnv) error {
	// A template only names a file once it is filled in for a result.
	if !result.IsTemplate(options.ImageIDFile) {
		if err := removeStale(options.ImageIDFile); err != nil {
			return err
		}
	}
	fe := newFrontend(options.frontend)
	if fe != nil {
		defer fe.RegisterDrivers()()
	}
	b, err := connectBuilder(ctx, dockerCLI, options, display)
	if err != nil {
		return err
	}
	defer b.Close()
	printer, err := newPrinter(b, display)
	if err != nil {
		return err
	}
	r := &buildRun{
		Pipeline: &pipeline.Pipeline{DockerCLI: dockerCLI, Builder: b, Frontend: fe, Printer: printer},
		stdin:    newStdin(dockerCLI.In()),
	}
	defer r.stdin.close()
	results, err := r.choose(ctx, *options, env)
	if err == nil {
		err = r.buildResults(ctx, results, options.failFast)
	}
	// Print the last progress before any other output.
	if werr := printer.Wait(); err == nil {
		err = werr
	}
	if err != nil {
		return err
	}
	return r.finish(ctx, results)
}

// buildRun is one run of the build command.
type buildRun struct {
	*pipeline.Pipeline
	stdin *stdin
	// notes list the stages and platforms that are not built, one a line.
	notes []string
}

// buildResults builds all results at the same time. With failFast, the first failure cancels
// the other builds.
func (r *buildRun) buildResults(ctx context.Context, results []*resultBuild, failFast bool) error {
	targets := make([]*pipeline.Target, len(results))
	for i, res := range results {
		if err := checkPlatforms(ctx, r.Builder, res.platforms); err != nil {
			return err
		}
		if err := removeStale(res.Flags.ImageIDFile); err != nil {
			return err
		}
		if err := res.attach(r.DockerCLI, r.stdin.reader()); err != nil {
			return err
		}
		targets[i] = res.target()
	}
	for i, outcome := range r.Build(ctx, targets, failFast) {
		results[i].outcome = outcome
		results[i].build.Inputs = outcome.Inputs
	}
	return nil
}

// newPrinter shows the progress of a build on standard error. It does not stop when the
// build is canceled, so that the cancellation is shown to its end.
func newPrinter(b *connect.Builder, mode progressui.DisplayMode) (*progress.Printer, error) {
	var printer *progress.Printer
	printer, err := progress.NewPrinter(context.Background(), os.Stderr, mode,
		progress.WithDesc(
			fmt.Sprintf("building with %q instance using %s driver", b.Name, b.Driver),
			fmt.Sprintf("%s:%s", b.Driver, b.Name),
		),
		progress.WithOnClose(func() {
			if mode != progressui.QuietMode && mode != progressui.RawJSONMode {
				printWarnings(os.Stderr, printer.Warnings())
			}
		}),
	)
	return printer, err
}
