package build

import (
	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/result"

	"context"
	"fmt"
	"os"

	"github.com/docker/buildx/util/desktop"
	"github.com/docker/buildx/util/progress"
	"github.com/docker/cli/cli/command"
	dockeropts "github.com/docker/cli/opts"
	"github.com/moby/buildkit/util/progress/progressui"
	"github.com/moby/term"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend"
	"github.com/stagebuild/stagebuild/plugin/buildinfo"
	"github.com/stagebuild/stagebuild/plugin/connect"
	"github.com/stagebuild/stagebuild/plugin/inprocess"
)

// buildOptions are the flags of the build command, as they were written.
type buildOptions struct {
	contextPath string

	// What to build.
	file      string
	stages    cli.StagesValue
	platforms []string
	buildArgs []string
	contexts  []string
	labels    []string
	pull      bool
	secrets   []string
	ssh       []string

	// Where the result goes.
	result.Flags
	annotations []string
	push, load  bool
	attests     []string
	provenance  string
	sbom        string

	// Caches.
	noCache       bool
	noCacheFilter []string

	// How steps run.
	allow        []string
	extraHosts   []string
	network      string
	cgroupParent string
	shmSize      dockeropts.MemBytes
	ulimits      *dockeropts.UlimitOpt
	resources    []string
	policies     []string

	// How the build runs.
	builder  string
	frontend frontendValue
	call     string
	progress string
	quiet    bool
	failFast bool
}

func NewCommand(dockerCLI command.Cli) *cobra.Command {
	options := buildOptions{ulimits: dockeropts.NewUlimitOpt(nil)}
	cmd := &cobra.Command{
		Use:     "build [OPTIONS] PATH | URL | -",
		Aliases: []string{"b"},
		Short:   "Build stages of a Dockerfile",
		Long: `Build stages of a Dockerfile, each for one platform or several.

PATH is a folder, URL a git repository or an archive, and - an archive or a
Dockerfile on standard input. Flags mean what they mean for "docker buildx
build".

Several stages are built at once, each with a result of its own: what is read
is read once, and one that fails does not stop the others. --tag, --output,
--cache-from, --cache-to, --metadata-file and --iidfile can be templates, in
which {{.Stage}}, {{.Platform}}, {{.OS}}, {{.Arch}}, {{.Variant}} and
{{.Arg "NAME"}} are filled in. Platforms for which they say different things
are different results.`,
		Example: `  # Build the default stage and load the image into Docker
  docker stagebuild build --load -t app .

  # One stage, two platforms, pushed
  docker stagebuild build --stage release --platform linux/amd64,linux/arm64 \
    --push -t registry.example.com/app .

  # Two stages, each with its own tag
  docker stagebuild build --stage api,worker \
    --push -t 'registry.example.com/{{.Stage}}:1.2' .

  # All stages but some, for all platforms that the Dockerfile declares
  docker stagebuild build --stage '!*-debug' --platform all .

  # Files instead of an image, from a git repository
  docker stagebuild build -o type=local,dest=out https://git.example.com/app.git

  # A daemon that is no buildx builder
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
	addBuildFlags(cmd, &options, os.Getenv)
	cli.CompleteFlag(cmd, "builder", cli.CompleteBuilders(dockerCLI))
	cli.CompleteDockerfile(cmd, true)
	completeBuildFlags(cmd)
	return cmd
}

// runBuild builds the results that the flags ask for, and says what became of them.
func runBuild(ctx context.Context, dockerCLI command.Cli, options buildOptions, display progressui.DisplayMode, env cli.LookupEnv) error {
	// A template's files are known with the results.
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
	results, err := r.choose(ctx, options, env)
	if err == nil {
		err = r.build(ctx, results, options.failFast)
	}
	// All progress is on the screen before anything else is printed.
	if werr := printer.Wait(); err == nil {
		err = werr
	}
	if err != nil {
		return err
	}
	return r.finish(ctx, results)
}

// newFrontend is the frontend that this program runs or chooses, or nil for an
// image that was named, which buildx's pipeline runs by itself.
func newFrontend(mode frontendValue) *inprocess.Frontend {
	switch {
	case !mode.image:
		return inprocess.New(frontend.Build)
	case mode.ref == "":
		return inprocess.NewImage(inprocess.Image(buildinfo.Read().Version))
	}
	return nil
}

// newPrinter shows the progress of a build on standard error. It goes on until
// it is waited for, so that a build that is being cancelled is shown to its end.
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
