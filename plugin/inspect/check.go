package inspect

import (
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
	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/offline"
)

// checkOptions are the flags of the check command, as the user wrote them.
type checkOptions struct {
	cli.DockerfileOptions
	stage     cli.StageValue
	platforms []string
	requested selection.Platforms // those of the platforms flag
	format    string
}

// NewCheckCommand returns the check command.
func NewCheckCommand(dockerCLI command.Cli) *cobra.Command {
	var options checkOptions
	cmd := &cobra.Command{
		Use:   "check [OPTIONS] [PATH | -]",
		Short: "Check a Dockerfile for mistakes",
		Long: `Check a Dockerfile with BuildKit's rules and the rules for staged Dockerfiles,
for every declared platform. The exit status is 1 if a rule is violated.

No builder is needed. Base images are not read, so their variables are unknown.
To check uses of these variables too, run "docker stagebuild build --check".`,
		Example: `  # Check the Dockerfile in the current directory
  docker stagebuild check

  # Print JSON, for one platform
  docker stagebuild check --format json --platform linux/arm64

  # Write a file for code scanning
  docker stagebuild check --format sarif > stagebuild.sarif`,
		Args:                  cli.OptionalPath(),
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     cli.CompletePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			options.SetPath(args)
			request, err := options.request(os.LookupEnv)
			if err == nil {
				options.requested, err = cli.SelectPlatforms(options.platforms, cli.LocalPlatform())
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
	flags.Var(&options.stage, "target", "Set the stage to check (same as --stage)")
	cli.AddPlatformFlag(flags, &options.platforms, cli.QueryPlatformsUsage, os.Getenv)
	flags.StringVar(&options.format, "format", "text", `Format of the output ("text", "json", "sarif")`)
	cli.CompleteDockerfile(cmd, false)
	cli.CompleteFlag(cmd, "platform", cli.CompletePlatforms)
	cli.CompleteFlag(cmd, "format", cobra.FixedCompletions([]cobra.Completion{
		cobra.CompletionWithDesc("text", "for people"),
		cobra.CompletionWithDesc("json", "the format of docker buildx build --check"),
		cobra.CompletionWithDesc("sarif", "for code scanning"),
	}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// request returns the options of the frontend request, except its platforms.
func (o *checkOptions) request(lookup cli.LookupEnv) (map[string]string, error) {
	if !slices.Contains([]string{"text", "json", "sarif"}, o.format) {
		return nil, fmt.Errorf(`invalid --format=%s: use "text", "json" or "sarif"`, o.format)
	}
	opts := map[string]string{gateway.OptionRequestID: lint.RequestLint, gateway.OptionTarget: string(o.stage)}
	args, err := cli.BuildArgs(o.BuildArgs, lookup)
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
		// Rules do not read contexts.
		opts[gateway.OptionContext+name] = "local:" + name
	}
	return opts, nil
}

func runCheck(ctx context.Context, dockerCLI command.Cli, options checkOptions, request map[string]string) error {
	name, data, err := cli.LoadDockerfile(options.ContextPath, options.File, dockerCLI.In())
	if err != nil {
		return err
	}
	file, _ := syntax.Parse(source.NewFile(name, data)) // the frontend reports the error
	targets, notes, err := options.targets(file, os.LookupEnv)
	if err != nil {
		return err
	}
	cli.PrintNotes(dockerCLI.Err(), notes)
	request[gateway.OptionPlatform] = strings.Join(platformutil.Format(targets), ",")
	// This frontend checks the file, whatever its syntax directive.
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

// targets returns the platforms of the frontend request, and notes on omitted platforms, one a
// line. It returns no platforms for the declared ones. If the stage cannot be built for a
// platform that was given by name, the frontend reports the error.
func (o *checkOptions) targets(file *syntax.File, lookup cli.LookupEnv) ([]guard.Platform, []string, error) {
	targets, err := o.requested.List(file)
	if err != nil || !o.requested.All {
		return targets, nil, err
	}
	env, err := o.Env(lookup)
	if err != nil {
		return nil, nil, err
	}
	var patterns selection.Patterns
	if o.stage != "" {
		patterns = selection.Stage(string(o.stage))
	}
	chosen, err := selection.SelectForCheck(file, env, patterns, o.requested)
	if err != nil {
		return o.requested.Requested, nil, nil //nolint:nilerr // see above
	}
	return chosen.Results[0].Platforms, chosen.Notes, nil
}

// printSARIF prints the result for code scanning, and returns the status of the check.
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

// diagnostics returns the diagnostics of the file with their positions. The error of a check
// has only their text.
func (o *checkOptions) diagnostics(file *syntax.File, targets []guard.Platform, lookup cli.LookupEnv) (source.List, error) {
	if !file.IsStaged {
		return nil, nil
	}
	env, err := o.Env(lookup)
	if err != nil {
		return nil, err
	}
	chosen := selection.Platforms{Requested: targets}.OrDefault(file, env.Build)
	list, err := chosen.List(file)
	if err != nil {
		return nil, err
	}
	resolve := plan.Resolve
	if chosen.All {
		resolve = plan.ResolvePossible
	}
	_, err = resolve(file, env, plan.Request{Stage: string(o.stage), Platforms: list})
	return source.Diagnostics(err), nil
}

// printCheck prints the result, and returns the status of the check.
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
