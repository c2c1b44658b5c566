package inspect

import (
	"github.com/stagebuild/stagebuild/plugin/cli"

	"os"
	"strings"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend/graph"
)

// explainOptions are the flags of the explain command, as they were written.
type explainOptions struct {
	cli.QueryOptions
	format cli.FormatValue
}

func NewExplainCommand(dockerCLI command.Cli) *cobra.Command {
	options := explainOptions{format: cli.FormatText}
	cmd := &cobra.Command{
		Use:   "explain [OPTIONS] [STAGE...]",
		Short: "Explain what stages will be made of",
		Long: `Explain, for each platform, what stages will be made of, and why: which variants
were chosen and why not those above them, which instructions are there, what is
copied from where, what is needed and what is not reached. The values that
decided are put in. A STAGE is a name or a glob; without one it is the file's
default stage. No builder is needed.`,
		Example: `  # The default stage, for all platforms that the file declares
  docker stagebuild explain

  # Why is this variant not taken on arm64?
  docker stagebuild explain --platform linux/arm64 --build-arg DEBUG=1 app

  # For programs
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
	options.AddFlags(cmd)
	cli.AddFormatFlag(cmd, &options.format)
	return cmd
}

// completeStageArgs offers the stages of the Dockerfile that are not there yet.
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
