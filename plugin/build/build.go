package build

import (
	"context"
	"fmt"
	"os"

	"github.com/docker/buildx/util/desktop"
	"github.com/docker/buildx/util/progress"
	"github.com/docker/cli/cli/command"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/moby/term"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend"
	"github.com/stagebuild/stagebuild/plugin/buildinfo"
	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/connect"
	"github.com/stagebuild/stagebuild/plugin/inprocess"
	"github.com/stagebuild/stagebuild/plugin/result"
)

// NewCommand returns the build command.
func NewCommand(dockerCLI command.Cli) *cobra.Command {
	options := newOptions()
	cmd := &cobra.Command{
		Use:     "build [OPTIONS] PATH | URL | -",
		Aliases: []string{"b"},
		Short:   "Build stages of a Dockerfile for one or more platforms",
		Long: `Build one or more stages of a Dockerfile, each for one or more platforms.

PATH is a directory, URL is a Git repository or an archive, and - reads an
archive or a Dockerfile from standard input. Flags mean what they mean for
"docker buildx build".

Several stages build at the same time, and each has a result of its own. Inputs
that they share load once, and a stage that fails does not stop the others.
--tag, --output, --cache-from, --cache-to, --metadata-file and --iidfile can be
templates with {{.Stage}}, {{.Platform}}, {{.OS}}, {{.Arch}}, {{.Variant}} and
{{.Arg "NAME"}}. Platforms with different values become different results.`,
		Example: `  # Build the default stage and load the image into Docker
  docker stagebuild build --load -t app .

  # Build one stage for two platforms, and push the image
  docker stagebuild build --stage release --platform linux/amd64,linux/arm64 \
    --push -t registry.example.com/app .

  # Build two stages, each with a tag of its own
  docker stagebuild build --stage api,worker \
    --push -t 'registry.example.com/{{.Stage}}:1.2' .

  # Build all but the debug stages for all declared platforms
  docker stagebuild build --stage '!*-debug' --platform all .

  # Write files instead of an image, from a Git repository
  docker stagebuild build -o type=local,dest=out https://git.example.com/app.git

  # Build on a BuildKit daemon that is not a buildx builder
  BUILDKIT_HOST=unix:///run/buildkit/buildkitd.sock \
    docker stagebuild build .`,
		Args:                  cli.ExactArgs(1, "one PATH, URL or -"),
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     cli.CompletePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			options.contextPath = args[0]
			display, err := options.check(os.LookupEnv)
			if err != nil {
				return cli.NewUsageError(cmd, err)
			}
			return runBuild(cmd.Context(), dockerCLI, options, display, os.LookupEnv)
		},
	}
	options.addFlags(cmd, os.Getenv)
	cli.CompleteFlag(cmd, "builder", cli.CompleteBuilders(dockerCLI))
	cli.CompleteDockerfile(cmd, true)
	completeBuildFlags(cmd)
	return cmd
}

// runBuild builds the requested results, and reports how each ended.
func runBuild(ctx context.Context, dockerCLI command.Cli, options *options, display progressui.DisplayMode, env cli.LookupEnv) error {
	// A template names a file only when the results are known.
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
	r := &buildRun{dockerCLI: dockerCLI, builder: b, frontend: fe, printer: printer, stdin: newStdin(dockerCLI.In())}
	defer r.stdin.close()
	results, err := r.choose(ctx, *options, env)
	if err == nil {
		err = r.build(ctx, results, options.failFast)
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

// newFrontend returns the frontend that this program runs or chooses. It returns nil
// for --frontend=image=REF, because buildx runs a named image without help.
func newFrontend(mode frontendValue) *inprocess.Frontend {
	switch {
	case !mode.image:
		return inprocess.New(frontend.Build)
	case mode.ref == "":
		return inprocess.NewImage(inprocess.Image(buildinfo.Read().Version))
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

// printBuildDetails links to Docker Desktop's record of the build, if there is one.
func printBuildDetails(printer *progress.Printer) {
	desktop.PrintBuildDetails(os.Stderr, printer.BuildRefs(), term.IsTerminal(os.Stderr.Fd()))
}
