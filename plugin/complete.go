package plugin

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
func complete(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		// Only a flag that does not exist or is completed twice gets here.
		panic(fmt.Sprintf("completion of --%s: %v", flag, err))
	}
}

// completeBuilders offers the builders of buildx's store, the docker contexts and
// the private daemon.
func completeBuilders(dockerCLI command.Cli) cobra.CompletionFunc {
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

// completePlatforms offers common platforms, also after a comma.
func completePlatforms(_ *cobra.Command, _ []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
	done := toComplete[:strings.LastIndex(toComplete, ",")+1]
	given := strings.Split(done, ",")
	var out []cobra.Completion
	for _, p := range commonPlatforms() {
		if !slices.Contains(given, p) {
			out = append(out, done+p)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
