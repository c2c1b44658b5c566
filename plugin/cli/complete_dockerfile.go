package cli

import (
	"cmp"
	"slices"
	"strings"

	"github.com/docker/buildx/util/urlutil"
	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// CompleteDockerfile registers completions that read the Dockerfile, for a command that
// takes one stage or a list of stages.
func CompleteDockerfile(cmd *cobra.Command, lists bool) {
	CompleteFlag(cmd, "file", CompleteFiles)
	CompleteFlag(cmd, "stage", completeStages(lists))
	CompleteFlag(cmd, "target", completeStages(lists))
	CompleteFlag(cmd, "build-arg", completeBuildArgs)
}

// TypedDockerfile returns the Dockerfile of a partly typed command line, or nil if it is not
// a local file. An invalid Dockerfile has the stages that could be parsed, so that completion
// works while the user edits it.
func TypedDockerfile(cmd *cobra.Command, args []string) *syntax.File {
	path, name := ".", cmd.Flag("file").Value.String()
	if len(args) > 0 && takesPath(cmd) {
		path = args[0]
	}
	if path == "-" || name == "-" || urlutil.IsRemoteURL(path) || urlutil.IsHTTPURL(name) {
		return nil
	}
	file, _ := ReadDockerfile(path, name, nil)
	return file
}

// completeStages offers the stages of the Dockerfile, each with the comment above it. In a
// list, it also completes after commas and "!", and offers each stage once.
func completeStages(list bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		file := TypedDockerfile(cmd, args)
		if file == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		if !list {
			return FilterPrefix("", typed, StageCandidates(file, nil)), cobra.ShellCompDirectiveNoFileComp
		}
		done, begun := SplitList(typed)
		given := strings.Split(strings.ReplaceAll(done, "!", ""), ",")
		if stages, ok := cmd.Flag("stage").Value.(*StagesValue); ok {
			given = append(given, strings.Split(strings.ReplaceAll(stages.String(), "!", ""), ",")...)
		}
		if name, excluded := strings.CutPrefix(begun, "!"); excluded {
			done, begun = done+"!", name
		}
		return FilterPrefix(done, begun, StageCandidates(file, given)), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// CompleteStageName offers the stages for a flag that takes one stage.
func CompleteStageName(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return completeStages(false)(cmd, args, typed)
}

// StageCandidates returns the stages of a file, except those in given.
func StageCandidates(file *syntax.File, given []string) []cobra.Completion {
	var list []cobra.Completion
	for _, name := range file.StageNames() {
		if slices.ContainsFunc(given, func(g string) bool { return strings.EqualFold(strings.TrimSpace(g), name) }) {
			continue
		}
		var about string
		for _, stage := range file.Group(name).Stages {
			about = cmp.Or(about, file.Summary(stage.From, name))
		}
		list = append(list, cobra.CompletionWithDesc(name, about))
	}
	return list
}

// CompletePlatforms offers the values of a --platform flag that takes a list: "all", "local",
// the declared platforms and common platforms.
func CompletePlatforms(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	declared := DeclaredPlatforms(cmd, args)
	var words []cobra.Completion
	if len(declared) > 0 {
		words = append(words, cobra.CompletionWithDesc("all", strings.Join(declared, ", ")))
	}
	words = append(words, localPlatformWord)
	done, begun := SplitList(typed)
	given := strings.Split(done, ",")
	if flag := cmd.Flag("platform"); flag.Changed {
		// The flag's String method adds brackets.
		values, _ := cmd.Flags().GetStringArray(flag.Name)
		given = append(given, strings.Split(strings.Join(values, ","), ",")...)
	}
	candidates := slices.DeleteFunc(append(words, PlatformCandidates(declared)...), func(c cobra.Completion) bool {
		name, _, _ := strings.Cut(c, "\t")
		return slices.Contains(given, name)
	})
	return FilterPrefix(done, begun, candidates), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// localPlatformWord is the value for the platform of a build without --platform.
const localPlatformWord = "local\tthe builder's platform"

// CompletePlatform offers platforms for a flag that takes one platform.
func CompletePlatform(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	candidates := append([]cobra.Completion{localPlatformWord}, PlatformCandidates(DeclaredPlatforms(cmd, args))...)
	return FilterPrefix("", typed, candidates), cobra.ShellCompDirectiveNoFileComp
}

// PlatformCandidates returns the declared platforms, then other common platforms.
func PlatformCandidates(declared []string) []cobra.Completion {
	var list []cobra.Completion
	for _, name := range declared {
		list = append(list, cobra.CompletionWithDesc(name, "declared by the Dockerfile"))
	}
	for _, name := range commonPlatforms() {
		if !slices.Contains(declared, name) {
			list = append(list, name)
		}
	}
	return list
}

// DeclaredPlatforms returns the platforms that the Dockerfile of a partly typed command line
// declares.
func DeclaredPlatforms(cmd *cobra.Command, args []string) []string {
	file := TypedDockerfile(cmd, args)
	if file == nil {
		return nil
	}
	var names []string
	for _, p := range file.Platforms {
		names = append(names, guard.FormatPlatform(p))
	}
	return names
}

// completeBuildArgs offers the build args that the Dockerfile declares before its first
// stage, as NAME=, each with the comment above it or its default.
func completeBuildArgs(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	file := TypedDockerfile(cmd, args)
	if file == nil {
		return nil, directive
	}
	given, _ := cmd.Flags().GetStringArray("build-arg")
	var list []cobra.Completion
	for _, in := range file.Globals {
		if in.Keyword != command.Arg {
			continue
		}
		for _, d := range in.Declarations {
			about := file.Summary(in, d.Name)
			if about == "" && d.Value != "" {
				about = "default: " + d.Value
			}
			c := cobra.CompletionWithDesc(d.Name+"=", about)
			was := func(arg string) bool { return arg == d.Name || strings.HasPrefix(arg, d.Name+"=") }
			if !slices.ContainsFunc(given, was) && !slices.Contains(list, c) {
				list = append(list, c)
			}
		}
	}
	return FilterPrefix("", typed, list), directive
}
