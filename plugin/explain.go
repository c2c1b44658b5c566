package plugin

import (
	"cmp"
	"encoding/json"
	"io"
	"os"
	"strings"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend/graph"
)

// explainOptions are the flags of the explain command, as they were written.
type explainOptions struct {
	questionOptions
	format formatValue
}

func newExplainCommand(dockerCLI command.Cli) *cobra.Command {
	options := explainOptions{format: formatText}
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
			options.setPath(nil)
			for _, arg := range args {
				if err := options.stages.Set(arg); err != nil {
					return &usageError{command: cmd.CommandPath(), err: err}
				}
			}
			q, err := options.ask(cmd, dockerCLI.In(), os.LookupEnv)
			if err != nil {
				return err
			}
			return runExplain(dockerCLI, options, q)
		},
	}
	options.addFlags(cmd)
	addFormatFlag(cmd, &options.format)
	return cmd
}

// completeStageArgs offers the stages of the Dockerfile that are not there yet.
func completeStageArgs(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	file := dockerfileSoFar(cmd, args)
	if file == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	given := strings.Split(strings.Join(args, ","), ",")
	return beginning("", typed, stageCandidates(file, given)), cobra.ShellCompDirectiveNoFileComp
}

func runExplain(dockerCLI command.Cli, options explainOptions, q *question) error {
	graphs, notes, err := q.graphs(options.stages.Patterns)
	if err != nil {
		return err
	}
	printNotes(dockerCLI.Err(), notes)
	explanation := &graph.Explanation{Explanations: graphs}
	if options.format == formatJSON {
		return printJSON(dockerCLI.Out(), explanation)
	}
	return explanation.Write(dockerCLI.Out(), textWidth(dockerCLI))
}

// printJSON prints a value for programs.
func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // a condition reads as it is written
	return encoder.Encode(value)
}

// narrowWidth is what a text is printed for that goes to no terminal.
const narrowWidth = 80

// textWidth is how many columns there are for a text.
func textWidth(dockerCLI command.Cli) int {
	return cmp.Or(terminalWidth(dockerCLI), narrowWidth)
}

// terminalWidth is how many columns the terminal has that is printed to, or 0.
func terminalWidth(dockerCLI command.Cli) int {
	if out := dockerCLI.Out(); out.IsTerminal() {
		_, width := out.GetTtySize()
		return int(width)
	}
	return 0
}
