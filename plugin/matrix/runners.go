package matrix

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/plugin/cli"
)

// runnerRule is the runner of GitHub Actions for some platforms.
type runnerRule struct {
	platforms *guard.Platforms
	label     string
}

// githubRunners returns GitHub's runners by label, and the platforms whose programs they run
// (https://docs.github.com/en/actions/reference/runners/github-hosted-runners).
// 64-bit runners run 32-bit programs, as in Docker's builds
// (https://github.com/docker/github-builder).
func githubRunners() [][2]string {
	return [][2]string{
		{"linux/amd64,linux/386", "ubuntu-24.04"},
		{"linux/arm64,linux/arm", "ubuntu-24.04-arm"},
		{"windows/amd64", "windows-2025"},
		{"windows/arm64", "windows-11-arm"},
	}
}

// emulatingRunner is the runner for platforms that no runner runs natively.
const emulatingRunner = "ubuntu-24.04"

// runnersValue is the value of --runner.
type runnersValue struct {
	rules  []runnerRule
	values []string
}

// String returns the rules as the user wrote them. It implements pflag.Value, as do Set and
// Type.
func (v *runnersValue) String() string { return strings.Join(v.values, " ") }

// Set adds the rule PLATFORM=LABEL.
func (v *runnersValue) Set(s string) error {
	list, label, ok := strings.Cut(s, "=")
	if !ok || strings.TrimSpace(label) == "" {
		return fmt.Errorf("%q must have the form PLATFORM=LABEL", s)
	}
	platforms, errs := guard.ParsePlatforms(list)
	if len(errs) > 0 {
		return errs[0]
	}
	v.rules = append(v.rules, runnerRule{platforms: platforms, label: label})
	v.values = append(v.values, s)
	return nil
}

// Type returns the name of the value in a usage line.
func (v *runnersValue) Type() string { return "stringArray" }

// runner is the machine that runs a job.
type runner struct {
	label string
	// machine is the architecture of the machine.
	machine string
}

// runner returns the runner for a platform: that of the first rule that matches, otherwise
// GitHub's.
func (v *runnersValue) runner(platform guard.Platform) runner {
	for _, rule := range v.rules {
		if rule.platforms.Match(platform) {
			return runner{rule.label, machine(platform)}
		}
	}
	for _, known := range githubRunners() {
		if platforms, _ := guard.ParsePlatforms(known[0]); platforms.Match(platform) {
			return runner{known[1], machine(platform)}
		}
	}
	return runner{emulatingRunner, "amd64"}
}

// machine returns the architecture of the machines that run a platform's programs.
func machine(platform guard.Platform) string {
	switch platform.Architecture {
	case "386":
		return "amd64"
	case "arm":
		return "arm64"
	}
	return platform.Architecture
}

// place returns the runner for a job, and the architectures that it emulates. For several
// platforms, it is the runner of the first Linux platform, because BuildKit on Linux can also
// make images for other systems if no program runs in them.
func (v *runnersValue) place(platforms []guard.Platform) (label string, emulated []string) {
	lead := guard.Platform{OS: "linux", Architecture: "amd64"}
	if i := slices.IndexFunc(platforms, isLinux); i >= 0 {
		lead = platforms[i]
	} else if len(platforms) == 1 {
		lead = platforms[0]
	}
	r := v.runner(lead)
	for _, p := range platforms {
		if isLinux(p) && machine(p) != r.machine && !slices.Contains(emulated, p.Architecture) {
			emulated = append(emulated, p.Architecture)
		}
	}
	return r.label, emulated
}

func isLinux(p guard.Platform) bool { return p.OS == "linux" }

// completeRunner offers platforms, and GitHub's labels after "=".
func completeRunner(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp
	platform, label, ok := strings.Cut(typed, "=")
	if ok {
		var labels []cobra.Completion
		for _, known := range githubRunners() {
			labels = append(labels, cobra.CompletionWithDesc(known[1], known[0]))
		}
		return cli.FilterPrefix(platform+"=", label, labels), directive
	}
	var candidates []cobra.Completion
	for _, c := range cli.PlatformCandidates(cli.DeclaredPlatforms(cmd, args)) {
		name, about, _ := strings.Cut(c, "\t")
		candidates = append(candidates, cobra.CompletionWithDesc(name+"=", about))
	}
	return cli.FilterPrefix("", platform, candidates), directive | cobra.ShellCompDirectiveNoSpace
}
