// Package plugin is the `docker stagebuild` command line: one file a command,
// each with its options struct, its constructor and its run function.
//
// [Run] parses and runs a command as a Docker CLI plugin or standalone,
// [Report] prints its error and gives the process its exit status. What builds
// need beside flags lives in the packages below: which builder (connect) and
// how the frontend runs on it (inprocess).
package plugin

import (
	"github.com/stagebuild/stagebuild/plugin/build"
	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/inspect"
	"github.com/stagebuild/stagebuild/plugin/matrix"

	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/docker/cli/cli-plugins/metadata"
	cliplugin "github.com/docker/cli/cli-plugins/plugin"
	"github.com/docker/cli/cli/command"
	clidebug "github.com/docker/cli/cli/debug"
	cliflags "github.com/docker/cli/cli/flags"
	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stagebuild/stagebuild/plugin/buildinfo"
)

// Run runs the command line of the process: as a plugin when the Docker CLI
// started it, and by itself otherwise.
func Run(dockerCLI *command.DockerCli) error {
	cli.ConfigureLogs(logrus.StandardLogger())
	if cliplugin.RunningStandalone() {
		root := NewRootCommand(filepath.Base(os.Args[0]), dockerCLI, initializer(dockerCLI))
		wrapHelp(root)
		return root.Execute()
	}
	root := NewRootCommand(cli.PluginName, dockerCLI, func(cmd *cobra.Command, args []string) error {
		return cliplugin.PersistentPreRunE(cmd, args)
	})
	return cliplugin.RunPlugin(dockerCLI, root, metadata.Metadata{
		SchemaVersion: "0.1.0",
		Vendor:        "Stagebuild",
		Version:       buildinfo.Read().Version,
		URL:           "https://github.com/stagebuild/stagebuild",
	})
}

// initializer prepares the Docker CLI's client side for a standalone run, as
// the plugin framework does for a plugin: from the environment (DOCKER_HOST,
// DOCKER_CONTEXT, DOCKER_TLS…), without contacting an engine.
func initializer(dockerCLI *command.DockerCli) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		flags := pflag.NewFlagSet(cmd.DisplayName(), pflag.ContinueOnError)
		options := cliflags.NewClientOptions()
		options.InstallFlags(flags)
		options.SetDefaultOptions(flags)
		options.Debug = clidebug.IsEnabled()
		return dockerCLI.Initialize(options)
	}
}

// NewRootCommand returns the command that holds all others. It calls
// initialize once before the one that runs.
func NewRootCommand(name string, dockerCLI command.Cli, initialize func(*cobra.Command, []string) error) *cobra.Command {
	var debugLogs bool
	cmd := &cobra.Command{
		Use:   name,
		Short: "Build staged Dockerfiles",
		Long: `Build Dockerfiles whose stages differ by platform and build args.

Any Dockerfile builds as it does with "docker buildx build". A staged one may
also guard stages and instructions by platform and condition.`,
		Example: `  # Build the Dockerfile of the current folder and load the image into Docker
  docker stagebuild build --load -t app .

  # List its stages, and see why one is what it is on arm64
  docker stagebuild ls
  docker stagebuild explain --platform linux/arm64

  # See the plain Dockerfile that is built for one platform
  docker stagebuild render --platform linux/arm64`,
		Args:                       cobra.ArbitraryArgs,
		SilenceUsage:               true,
		SilenceErrors:              true,
		TraverseChildren:           true,
		DisableFlagsInUseLine:      true,
		SuggestionsMinimumDistance: 2,
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			if debugLogs {
				clidebug.Enable()
			}
			cmd.SetContext(cli.Interruptible(cmd.Context(), os.Exit))
			return initialize(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return cli.UnknownCommand(cmd, args[0])
		},
	}
	// As for a plugin: most flags take no file.
	cmd.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return cli.NewUsageError(cmd, err)
	})
	cmd.PersistentFlags().BoolVarP(&debugLogs, "debug", "D", clidebug.IsEnabled(), "Enable debug logging")
	cmd.AddCommand(
		build.NewCommand(dockerCLI),
		brief(inspect.NewCheckCommand(dockerCLI)),
		brief(inspect.NewExplainCommand(dockerCLI)),
		brief(inspect.NewGraphCommand(dockerCLI)),
		brief(inspect.NewLsCommand(dockerCLI)),
		brief(matrix.NewCommand(dockerCLI)),
		brief(inspect.NewRenderCommand(dockerCLI)),
		newSuperviseCommand(),
		newVersionCommand(dockerCLI),
	)
	return cmd
}

// brief returns a command that asks no builder. It is over in tens of milliseconds, of
// which collecting garbage at the usual rate would be up to a quarter.
func brief(cmd *cobra.Command) *cobra.Command {
	cmd.PreRun = func(*cobra.Command, []string) {
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(400)
		}
	}
	return cmd
}

// wrapHelp has flags described in lines of 80 columns, as the Docker CLI does for
// a plugin on a terminal of that width.
func wrapHelp(root *cobra.Command) {
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", ".FlagUsagesWrapped 80"))
}
