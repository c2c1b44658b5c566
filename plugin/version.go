package plugin

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/plugin/buildinfo"
	"github.com/stagebuild/stagebuild/plugin/cli"
)

type versionOptions struct {
	format cli.FormatValue
}

func newVersionCommand(dockerCLI command.Cli) *cobra.Command {
	options := versionOptions{format: cli.FormatText}
	cmd := &cobra.Command{
		Use:   "version [OPTIONS]",
		Short: "Show the versions of stagebuild and of its BuildKit library",
		Example: `  docker stagebuild version

  # As JSON
  docker stagebuild version --format json`,
		Args:                  cli.ExactArgs(0, "no arguments"),
		ValidArgsFunction:     cobra.NoFileCompletions,
		DisableFlagsInUseLine: true,
		RunE: func(*cobra.Command, []string) error {
			return runVersion(dockerCLI.Out(), options, buildinfo.Read())
		},
	}
	cli.AddFormatFlag(cmd, &options.format)
	return cmd
}

func runVersion(w io.Writer, options versionOptions, info buildinfo.Info) error {
	if options.format == cli.FormatJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(info)
	}
	_, err := fmt.Fprintf(w, "github.com/stagebuild/stagebuild %s %s (BuildKit %s)\n", info.Version, info.Commit, info.BuildKit)
	return err
}
