package inspect

import (
	"github.com/stagebuild/stagebuild/plugin/cli"

	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/buildx/util/buildflags"
	"github.com/docker/buildx/util/platformutil"
	"github.com/docker/cli/cli/command"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend"
	"github.com/stagebuild/stagebuild/frontend/gateway"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/selection"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/plugin/offline"
)

// checkOptions are the flags of the check command, as they were written.
type checkOptions struct {
	cli.DockerfileOptions
	stage     cli.StageValue
	platforms []string
	asked     selection.Platforms // by them
	format    string
}

func NewCheckCommand(dockerCLI command.Cli) *cobra.Command {
	var options checkOptions
	cmd := &cobra.Command{
		Use:   "check [OPTIONS] [PATH | -]",
		Short: "Check a Dockerfile",
		Long: `Check a Dockerfile with BuildKit's rules and those for staged ones, on every
platform that it declares. It finds what "docker stagebuild build --check"
finds, but for what depends on base images, such as variables that these may
set: no builder is needed. The exit status is 1 when something is found.`,
		Example: `  # Check the Dockerfile of the current folder
  docker stagebuild check

  # For programs, and for one platform
  docker stagebuild check --format json --platform linux/arm64

  # For code scanning
  docker stagebuild check --format sarif > stagebuild.sarif`,
		Args:                  cli.OptionalPath(),
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     cli.CompletePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			options.SetPath(args)
			request, err := options.request(os.LookupEnv)
			if err == nil {
				options.asked, err = cli.AskedPlatforms(options.platforms, cli.LocalPlatform())
			}
			if err != nil {
				return cli.NewUsageError(cmd, err)
			}
			return runCheck(cmd.Context(), dockerCLI, options, request)
		},
	}
	options.AddFlags(cmd)
	flags := cmd.Flags()
	flags.Var(&options.stage, "stage", "Set the stage to check (default: all)")
	flags.Var(&options.stage, "target", "Set the stage to check (the same as --stage)")
	flags.StringArrayVar(&options.platforms, "platform", nil, `Set the platforms, "all" that the file declares or "local" (default: all, or else local)`)
	flags.StringVar(&options.format, "format", "text", `Format of the findings ("text", "json", "sarif")`)
	cli.CompleteDockerfile(cmd, false)
	cli.CompleteFlag(cmd, "platform", cli.CompletePlatforms)
	cli.CompleteFlag(cmd, "format", cobra.FixedCompletions([]cobra.Completion{
		cobra.CompletionWithDesc("text", "for people"),
		cobra.CompletionWithDesc("json", "as of buildx"),
		cobra.CompletionWithDesc("sarif", "for code scanning"),
	}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// request returns the options of the frontend request that the flags make, but for the
// platforms.
func (o *checkOptions) request(lookup cli.LookupEnv) (map[string]string, error) {
	if !slices.Contains([]string{"text", "json", "sarif"}, o.format) {
		return nil, fmt.Errorf(`--format=%s is none of "text", "json", "sarif"`, o.format)
	}
	opts := map[string]string{gateway.OptionRequestID: lint.RequestLint, gateway.OptionTarget: string(o.stage)}
	args, err := cli.KeyValues("build-arg", o.BuildArgs, lookup)
	if err != nil {
		return nil, err
	}
	for name, value := range args {
		opts[gateway.OptionBuildArg+name] = value
	}
	contexts, err := buildflags.ParseContextNames(o.Contexts)
	if err != nil {
		return nil, fmt.Errorf("--build-context: %w", err)
	}
	for name := range contexts {
		// What is in a context makes no difference to a rule.
		opts[gateway.OptionContext+name] = "local:" + name
	}
	return opts, nil
}

func runCheck(ctx context.Context, dockerCLI command.Cli, options checkOptions, request map[string]string) error {
	name, data, err := cli.LoadDockerfile(options.ContextPath, options.File, dockerCLI.In())
	if err != nil {
		return err
	}
	file, _ := syntax.Parse(source.NewFile(name, data)) // what is wrong with it is among the findings
	targets, notes, err := options.targets(file, os.LookupEnv)
	if err != nil {
		return err
	}
	cli.PrintNotes(dockerCLI.Err(), notes)
	request[gateway.OptionPlatform] = strings.Join(platformutil.Format(targets), ",")
	// The file is checked as one for this frontend, whichever it names.
	request[gateway.OptionCmdline] = ""
	c := &offline.Client{Options: request, Name: name, Dockerfile: data, Platform: cli.LocalPlatform()}
	if options.ContextPath != "-" {
		c.Context = options.ContextPath
	}
	res, err := frontend.Build(ctx, c)
	if err != nil {
		return err
	}
	if options.format == "sarif" {
		return options.printSARIF(dockerCLI.Out(), file, targets, res.Metadata, os.LookupEnv)
	}
	return printCheck(dockerCLI.Out(), options.format, res.Metadata)
}

// targets returns the platforms to ask the frontend about, and notes on those that are
// left out: a line each. None stand for what the file declares, of which the frontend
// itself leaves out what cannot be built, or else for this machine's own.
func (o *checkOptions) targets(file *syntax.File, lookup cli.LookupEnv) ([]guard.Platform, []string, error) {
	targets, err := o.asked.List(file)
	switch {
	case err != nil || !o.asked.All:
		return targets, nil, err
	case len(o.asked.Requested) == 0:
		return nil, nil, nil
	}
	env, err := o.Env(lookup)
	if err != nil {
		return nil, nil, err
	}
	switch chosen := o.choose(file, env); {
	case chosen == nil:
		return o.asked.Requested, nil, nil // the frontend says what is wrong
	case o.asked.OnlyDeclared(file):
		return nil, nil, nil
	default:
		return chosen.Results[0].Platforms, chosen.Notes, nil
	}
}

// choose returns the stage to check, with the platforms of it, or nil when it cannot be
// built for one that was named.
func (o *checkOptions) choose(file *syntax.File, env plan.Env) *selection.Selection {
	var patterns selection.Patterns
	if o.stage != "" {
		var err error
		if patterns, err = selection.ParsePatterns(string(o.stage)); err != nil {
			return nil
		}
	}
	chosen, err := selection.Select(file, env, patterns, o.asked)
	if err != nil || len(chosen.Results) != 1 {
		return nil
	}
	return chosen
}

// printSARIF prints the findings for code scanning, and returns the status of the check.
func (o *checkOptions) printSARIF(out io.Writer, file *syntax.File, targets []guard.Platform, result map[string][]byte, lookup cli.LookupEnv) error {
	var found lint.LintResults
	if err := json.Unmarshal(result[gateway.ResultJSON], &found); err != nil {
		return fmt.Errorf("reading the result of the check: %w", err)
	}
	var diagnostics source.List
	if found.Error != nil {
		var err error
		if diagnostics, err = o.diagnostics(file, targets, lookup); err != nil {
			return err
		}
	}
	if err := printSARIF(out, file.Source, found, diagnostics); err != nil {
		return err
	}
	if len(found.Warnings) > 0 || found.Error != nil {
		return cli.StatusError(cli.ExitFailed)
	}
	return nil
}

// diagnostics are what makes a build of the file fail: the error of a check has their
// text alone.
func (o *checkOptions) diagnostics(file *syntax.File, targets []guard.Platform, lookup cli.LookupEnv) (source.List, error) {
	if !file.IsStaged {
		return nil, nil
	}
	env, err := o.Env(lookup)
	if err != nil {
		return nil, err
	}
	request := plan.Request{Stage: string(o.stage), Platforms: targets}
	switch {
	case len(targets) > 0:
		_, err = plan.Resolve(file, env, request)
	case len(file.Platforms) > 0:
		request.Platforms = file.Platforms
		_, err = plan.ResolvePossible(file, env, request)
	default:
		request.Platforms = []guard.Platform{env.Build}
		_, err = plan.Resolve(file, env, request)
	}
	return source.Diagnostics(err), nil
}

// printCheck prints the findings, and returns the status of the check.
func printCheck(out io.Writer, format string, result map[string][]byte) error {
	text := map[string]string{}
	for key, value := range result {
		text[key] = string(value)
	}
	if err := cli.PrintCallResult(out, "lint", format, text, ""); err != nil {
		return err
	}
	if status, err := strconv.Atoi(text[gateway.ResultStatusCode]); err == nil && status != 0 {
		return cli.StatusError(status)
	}
	return nil
}
