package plugin

import (
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

	"github.com/stagebuild/stagebuild/plugin/build"
	"github.com/stagebuild/stagebuild/plugin/buildinfo"
	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/inspect"
	"github.com/stagebuild/stagebuild/plugin/matrix"
)

// Run runs the command line of the process, as a plugin if the Docker CLI
// started the process and standalone otherwise.
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

// initializer returns a function that configures the Docker CLI for a standalone
// run from the environment (DOCKER_HOST, DOCKER_CONTEXT, DOCKER_TLS…), as the
// plugin framework does for a plugin. It does not contact an engine.
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

// NewRootCommand returns the command tree. It calls initialize once, before the
// chosen command runs.
func NewRootCommand(name string, dockerCLI command.Cli, initialize func(*cobra.Command, []string) error) *cobra.Command {
	var debugLogs bool
	cmd := &cobra.Command{
		Use:   name,
		Short: "Build staged Dockerfiles",
		Long: `Build Dockerfiles whose stages differ by platform and build args.

A plain Dockerfile builds as it does with "docker buildx build". In a staged
Dockerfile, stages and instructions can also depend on platforms and conditions.`,
		Example: `  # Build the Dockerfile in the current directory and load the image into Docker
  docker stagebuild build --load -t app .

  # List its stages, and explain the default stage on arm64
  docker stagebuild ls
  docker stagebuild explain --platform linux/arm64

  # Print the plain Dockerfile for one platform
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
	// Most flags take no file. The plugin framework sets the same default.
	cmd.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return cli.NewUsageError(cmd, err)
	})
	cmd.PersistentFlags().BoolVarP(&debugLogs, "debug", "D", clidebug.IsEnabled(), "Enable debug logging")
	cmd.AddCommand(
		build.NewCommand(dockerCLI),
		withLazyGC(inspect.NewCheckCommand(dockerCLI)),
		withLazyGC(inspect.NewExplainCommand(dockerCLI)),
		withLazyGC(inspect.NewGraphCommand(dockerCLI)),
		withLazyGC(inspect.NewLsCommand(dockerCLI)),
		withLazyGC(matrix.NewCommand(dockerCLI)),
		withLazyGC(inspect.NewRenderCommand(dockerCLI)),
		newSuperviseCommand(),
		newVersionCommand(dockerCLI),
	)
	return cmd
}

// withLazyGC reduces garbage collection in a command that needs no builder. Such a command
// takes tens of milliseconds, up to a quarter of them for the default garbage collection.
func withLazyGC(cmd *cobra.Command) *cobra.Command {
	cmd.PreRun = func(*cobra.Command, []string) {
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(400)
		}
	}
	return cmd
}

// wrapHelp wraps flag descriptions at 80 columns, as the Docker CLI does for a plugin
// on a terminal of that width.
func wrapHelp(root *cobra.Command) {
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", ".FlagUsagesWrapped 80"))
}
