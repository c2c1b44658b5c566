package inspect

import (
	"os"
	"strings"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/plugin/cli"
)

// explainOptions are the flags of the explain command, as the user wrote them.
type explainOptions struct {
	cli.QueryOptions
	format cli.FormatValue
}

// NewExplainCommand returns the explain command.
func NewExplainCommand(dockerCLI command.Cli) *cobra.Command {
	options := explainOptions{format: cli.FormatText}
	cmd := &cobra.Command{
		Use:   "explain [OPTIONS] [STAGE...]",
		Short: "Explain what stages are made of, and why",
		Long: `Explain what stages are made of on each platform, and why: which variants are
selected, which instructions are kept, which stages and images are used, and
which stages are unreached. Reasons show the values of build args.

The arguments are stages, not a path: names, globs, and exclusions with "!". The
default is the last stage. The Dockerfile is the one in the current directory;
use --file for another one. No builder is needed.`,
		Example: `  # Explain the default stage for all declared platforms
  docker stagebuild explain

  # Explain one stage for arm64, with a build arg
  docker stagebuild explain --platform linux/arm64 --build-arg DEBUG=1 app

  # As JSON
  docker stagebuild explain --format json 'test-*'`,
		Args:                  cobra.ArbitraryArgs,
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     completeStageArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			options.SetPath(nil)
			for _, arg := range args {
				if err := options.Stages.Set(arg); err != nil {
					return cli.NewUsageError(cmd, err)
				}
			}
			q, err := options.Query(cmd, dockerCLI.In(), os.LookupEnv)
			if err != nil {
				return err
			}
			return runExplain(dockerCLI, options, q)
		},
	}
	options.AddFlags(cmd, "the last stage")
	cli.AddFormatFlag(cmd, &options.format)
	return cmd
}

// completeStageArgs offers the stages that are not among the arguments yet.
func completeStageArgs(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	file := cli.TypedDockerfile(cmd, args)
	if file == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	given := strings.Split(strings.Join(args, ","), ",")
	return cli.FilterPrefix("", typed, cli.StageCandidates(file, given)), cobra.ShellCompDirectiveNoFileComp
}

func runExplain(dockerCLI command.Cli, options explainOptions, q *cli.Query) error {
	graphs, notes, err := q.Graphs(options.Stages.Patterns)
	if err != nil {
		return err
	}
	cli.PrintNotes(dockerCLI.Err(), notes)
	explanation := &graph.Explanation{Explanations: graphs}
	if options.format == cli.FormatJSON {
		return cli.PrintJSON(dockerCLI.Out(), explanation)
	}
	return explanation.Write(dockerCLI.Out(), cli.TextWidth(dockerCLI))
}
