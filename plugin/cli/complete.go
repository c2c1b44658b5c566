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

// CompleteFlag registers the shell completion of a flag of cmd.
func CompleteFlag(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		// The flag does not exist, or has a completion already.
		panic(fmt.Sprintf("completion of --%s: %v", flag, err))
	}
}

// CompleteBuilders offers the builders in buildx's store, the Docker contexts and the
// private daemon.
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

// commonPlatforms returns the platforms that most base images support.
func commonPlatforms() []string {
	return []string{
		"linux/amd64", "linux/arm64", "linux/arm/v7", "linux/arm/v6", "linux/386",
		"linux/ppc64le", "linux/riscv64", "linux/s390x", "windows/amd64",
	}
}

// CompletePath offers directories for the PATH argument of a command.
func CompletePath(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// CompleteFiles offers files. Flags that take a file need it, because the Docker CLI offers
// no files by default.
func CompleteFiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

// SplitList splits a partly typed comma-separated list into the complete items, with the
// comma after them, and the item that is being typed.
func SplitList(typed string) (done, begun string) {
	i := strings.LastIndex(typed, ",") + 1
	return typed[:i], typed[i:]
}

// FilterPrefix returns the candidates that begin with begun, each with the earlier part of
// the word before it. After a comma the candidates have no descriptions: with them, cobra's
// script for bash finds no match, because it compares escaped candidates.
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
