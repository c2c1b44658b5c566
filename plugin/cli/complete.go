package cli

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/plugin/connect"
	"github.com/stagebuild/stagebuild/plugin/daemon"
)

// complete registers the shell completion of a flag that the command has.
func CompleteFlag(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		// Only a flag that does not exist or is completed twice gets here.
		panic(fmt.Sprintf("completion of --%s: %v", flag, err))
	}
}

// CompleteBuilders offers the builders of buildx's store, the docker contexts and
// the private daemon.
func CompleteBuilders(dockerCLI command.Cli) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		names, err := connect.Names(dockerCLI)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		if runtime.GOOS == "linux" && !slices.Contains(names, daemon.Name) {
			names = append(names, daemon.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// commonPlatforms are the platforms that most base images are published for.
func commonPlatforms() []string {
	return []string{
		"linux/amd64", "linux/arm64", "linux/arm/v7", "linux/arm/v6", "linux/386",
		"linux/ppc64le", "linux/riscv64", "linux/s390x", "windows/amd64",
	}
}

// CompletePath offers folders for the one PATH of a command.
func CompletePath(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// CompleteFiles offers files. It is for flags that name one: the Docker CLI offers
// none where nothing is said.
func CompleteFiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

// SplitList splits what was typed of a list that is separated by commas: the
// items that are done, with the comma behind them, and the one that is begun.
func SplitList(typed string) (done, begun string) {
	i := strings.LastIndex(typed, ",") + 1
	return typed[:i], typed[i:]
}

// beginning returns the candidates that begin with what was typed of them, after
// what stands before them in the same word. Behind a comma they are not described:
// cobra's script for bash finds no candidate then, since it compares escaped ones.
func FilterPrefix(before, begun string, candidates []cobra.Completion) []cobra.Completion {
	var list []cobra.Completion
	for _, c := range candidates {
		if strings.Contains(before, ",") {
			c, _, _ = strings.Cut(c, "\t")
		}
		if strings.HasPrefix(c, begun) {
			list = append(list, before+c)
		}
	}
	return list
}
