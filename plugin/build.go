package plugin

import (
	"context"
	"fmt"
	"os"

	"github.com/docker/buildx/build"
	"github.com/docker/buildx/util/confutil"
	"github.com/docker/buildx/util/desktop"
	"github.com/docker/buildx/util/dockerutil"
	"github.com/docker/buildx/util/progress"
	"github.com/docker/cli/cli/command"
	dockeropts "github.com/docker/cli/opts"
	"github.com/moby/buildkit/client"
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
	stage     stageValue
	platforms []string
	buildArgs []string
	contexts  []string
	labels    []string
	pull      bool
	secrets   []string
	ssh       []string

	// Where the result goes.
	outputs      []string
	tags         []string
	annotations  []string
	push, load   bool
	metadataFile string
	imageIDFile  string
	attests      []string
	provenance   string
	sbom         string

	// Caches.
	cacheFrom, cacheTo []string
	noCache            bool
	noCacheFilter      []string

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
}

func newBuildCommand(dockerCLI command.Cli) *cobra.Command {
	options := buildOptions{ulimits: dockeropts.NewUlimitOpt(nil)}
	cmd := &cobra.Command{
		Use:     "build [OPTIONS] PATH | URL | -",
		Aliases: []string{"b"},
		Short:   "Build a stage of a Dockerfile",
		Long: `Build a stage of a Dockerfile, for one platform or several.

PATH is a folder, URL a git repository or an archive, and - an archive or a
Dockerfile on standard input. Flags mean what they mean for "docker buildx build".`,
		Example: `  # Build the default stage and load the image into Docker
  docker stagebuild build --load -t app .

  # One stage, two platforms, pushed
  docker stagebuild build --stage release --platform linux/amd64,linux/arm64 --push -t registry.example/app .

  # Files instead of an image, from a git repository
  docker stagebuild build -o type=local,dest=out https://github.com/example/app.git

  # A daemon that is no buildx builder
  BUILDKIT_HOST=unix:///run/buildkit/buildkitd.sock docker stagebuild build .`,
		Args:                  exactArgs(1, "one PATH, URL or -"),
		DisableFlagsInUseLine: true,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			options.contextPath = args[0]
			req, err := options.request(os.LookupEnv)
			if err != nil {
				return &usageError{command: cmd.CommandPath(), err: err}
			}
			return runBuild(cmd.Context(), dockerCLI, options, req)
		},
	}
	addBuildFlags(cmd, &options, os.Getenv)
	complete(cmd, "builder", completeBuilders(dockerCLI))
	complete(cmd, "platform", completePlatforms)
	return cmd
}

// runBuild runs one build: session, builder, solve, then what is written and
// printed about the result.
func runBuild(ctx context.Context, dockerCLI command.Cli, options buildOptions, req *request) error {
	if err := removeStale(options.imageIDFile); err != nil {
		return err
	}
	if err := req.attach(dockerCLI); err != nil {
		return err
	}
	fe := newFrontend(options.frontend)
	if fe != nil {
		defer fe.RegisterDrivers()()
	}
	b, err := connect.Connect(ctx, dockerCLI, connect.Choose(options.builder, os.Getenv), options.contextPath)
	if err != nil {
		return err
	}
	printer, err := newPrinter(b, req.display)
	if err != nil {
		return err
	}
	resp, err := solve(ctx, dockerCLI, b, fe, req, printer)
	// All progress is on the screen before anything else is printed.
	if werr := printer.Wait(); err == nil {
		err = werr
	}
	if err != nil {
		return fmt.Errorf("failed to build: %w", err)
	}
	return finish(dockerCLI.Out(), options, req, resp, printer)
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

// solve runs buildx's pipeline and returns the response of its one target.
func solve(ctx context.Context, dockerCLI command.Cli, b *connect.Builder, fe *inprocess.Frontend, req *request, pw progress.Writer) (*client.SolveResponse, error) {
	// buildx keys builds by name, and shows this one in build details.
	const target = "default"
	targets := map[string]build.Options{target: req.build}
	var handler *build.Handler
	if fe != nil {
		handler = fe.Handler()
	}
	resps, err := build.BuildWithResultHandler(ctx, b.Nodes, targets, dockerutil.NewClient(dockerCLI), confutil.NewConfig(dockerCLI), pw, handler)
	if err != nil {
		return nil, err
	}
	// buildx fills in where a Dockerfile from elsewhere came from.
	req.build.Inputs = targets[target].Inputs
	resp := resps[target]
	if fe != nil {
		for k, v := range fe.CallResult(req.platforms) {
			resp.ExporterResponse[k] = string(v)
		}
	}
	return resp, nil
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
