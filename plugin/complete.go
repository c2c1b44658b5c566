package plugin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/docker/buildx/store/storeutil"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"
)

// complete registers the shell completion of a flag that the command has.
func complete(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		// Only a flag that does not exist or is completed twice gets here.
		panic(fmt.Sprintf("completion of --%s: %v", flag, err))
	}
}

// completeBuilders offers the builders of buildx's store and the docker contexts.
func completeBuilders(dockerCLI command.Cli) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		names, err := builderNames(dockerCLI)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

func builderNames(dockerCLI command.Cli) ([]string, error) {
	txn, release, err := storeutil.GetStore(dockerCLI)
	if err != nil {
		return nil, err
	}
	defer release()
	groups, err := txn.List()
	if err != nil {
		return nil, err
	}
	contexts, err := dockerCLI.ContextStore().List()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, g := range groups {
		names = append(names, g.Name)
	}
	for _, c := range contexts {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
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
