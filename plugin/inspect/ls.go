package inspect

import (
	"errors"
	"os"
	"slices"

	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/command/formatter"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/plugin/cli"
)

// lsOptions are the flags of the ls command, as the user wrote them.
type lsOptions struct {
	cli.QueryOptions
	format  string
	quiet   bool
	noTrunc bool
}

// NewLsCommand returns the ls command.
func NewLsCommand(dockerCLI command.Cli) *cobra.Command {
	var options lsOptions
	cmd := &cobra.Command{
		Use:     "ls [OPTIONS] [PATH | -]",
		Aliases: []string{"list"},
		Short:   "List the stages of a Dockerfile",
		Long: `List the stages of a Dockerfile, with their base, their guard, the platforms
that they can be built for, and the description from the comment above them.

The table lists the variants of a stage below it, each with the platforms that
it is selected for, and marks the default stage with an asterisk. No builder is
needed.`,
		Example: `  # List the stages of the Dockerfile in the current directory
  docker stagebuild ls

  # Show which variants are selected for arm64 if DEBUG is 1
  docker stagebuild ls --platform linux/arm64 --build-arg DEBUG=1

  # Print names and lines for a script
  docker stagebuild ls --format '{{.Name}} {{.Line}}'`,
		Args:                  cli.OptionalPath(),
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     cli.CompletePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			if options.quiet && cmd.Flag("format").Changed {
				return cli.NewUsageError(cmd, errors.New("--quiet and --format cannot be used together"))
			}
			options.SetPath(args)
			q, err := options.Query(cmd, dockerCLI.In(), os.LookupEnv)
			if err != nil {
				return err
			}
			return runLs(dockerCLI, options, q)
		},
	}
	options.AddFlags(cmd, "all")
	flags := cmd.Flags()
	flags.StringVar(&options.format, "format", formatter.TableFormatKey, `Format of the output ("table", "json", or a Go template)`)
	flags.BoolVarP(&options.quiet, "quiet", "q", false, "Only print the names of stages")
	flags.BoolVar(&options.noTrunc, "no-trunc", false, "Do not truncate the output")
	cli.CompleteFlag(cmd, "format", cobra.FixedCompletions([]string{formatter.TableFormatKey, formatter.JSONFormatKey}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func runLs(dockerCLI command.Cli, options lsOptions, q *cli.Query) error {
	targets, err := q.Platforms.List(q.File)
	if err != nil {
		return err
	}
	available, err := plan.Available(q.File, q.Env, targets)
	if err != nil {
		return err
	}
	rows, err := listStages(q.File, available, targets, options.Stages.Patterns)
	if err != nil {
		return err
	}
	format := options.format
	if options.quiet {
		format = "{{.Name}}"
		rows = slices.DeleteFunc(rows, func(r stageRow) bool { return r.Name == "" })
	}
	return writeStages(formatter.Context{
		Output: dockerCLI.Out(), Format: formatter.Format(format), Trunc: !options.noTrunc,
	}, rows, cli.TerminalWidth(dockerCLI))
}
