package inspect

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/containerd/platforms"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/plugin/cli"
)

// renderOptions are the flags of the render command, as the user wrote them.
type renderOptions struct {
	cli.DockerfileOptions
	stage    cli.StageValue
	platform string
}

// NewRenderCommand returns the render command.
func NewRenderCommand(dockerCLI command.Cli) *cobra.Command {
	var options renderOptions
	cmd := &cobra.Command{
		Use:   "render [OPTIONS] [PATH | -]",
		Short: "Print the plain Dockerfile for one platform",
		Long: `Print the plain Dockerfile that a staged Dockerfile lowers to, for one platform
and one set of build args. Lines keep their numbers, and dropped instructions
become comments. No builder is needed.`,
		Example: `  # Print the plain Dockerfile for arm64
  docker stagebuild render --platform linux/arm64

  # Show the effect of a build arg
  diff <(docker stagebuild render) \
    <(docker stagebuild render --build-arg DEBUG=1)

  # Build the output with BuildKit's own frontend. This works unless an
  # instruction refers to a stage for another platform (stage::PLATFORM)
  docker stagebuild render | docker buildx build \
    --build-arg BUILDKIT_SYNTAX=docker/dockerfile:1 -f - .`,
		Args:                  cli.OptionalPath(),
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     cli.CompletePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			options.SetPath(args)
			env, err := options.Env(os.LookupEnv)
			if err != nil {
				return cli.NewUsageError(cmd, err)
			}
			platform, err := options.target(env.Build)
			if err != nil {
				return cli.NewUsageError(cmd, err)
			}
			return runRender(dockerCLI.Out(), dockerCLI.In(), options, env, platform)
		},
	}
	options.AddFlags(cmd)
	flags := cmd.Flags()
	flags.Var(&options.stage, "stage", "Set the target stage (default: the last stage)")
	flags.Var(&options.stage, "target", "Set the target stage (same as --stage)")
	flags.StringVar(&options.platform, "platform", os.Getenv(cli.DefaultPlatform), `Set the target platform (default: "linux" on this machine's architecture)`)
	cli.CompleteDockerfile(cmd, false)
	cli.CompleteFlag(cmd, "platform", cli.CompletePlatform)
	return cmd
}

// target returns the platform to render the file for.
func (o *renderOptions) target(own guard.Platform) (guard.Platform, error) {
	switch strings.ToLower(o.platform) {
	case "", "local":
		return own, nil
	case "all":
		return own, errors.New("--platform=all: a plain Dockerfile is for one platform; name that platform")
	}
	if strings.Contains(o.platform, ",") {
		return own, fmt.Errorf("--platform=%s: a plain Dockerfile is for one platform; name one of them", o.platform)
	}
	p, err := platforms.Parse(o.platform)
	if err != nil {
		return own, fmt.Errorf("--platform: %w", err)
	}
	return platforms.Normalize(p), nil
}

func runRender(out io.Writer, stdin io.Reader, options renderOptions, env plan.Env, platform guard.Platform) error {
	file, err := options.Read(stdin)
	if file == nil {
		return err
	}
	stage := string(options.stage)
	if stage != "" && file.Group(stage) == nil {
		return file.NoStageError(stage)
	}
	dockerfile := file.Source.Data
	if file.IsStaged {
		set, err := plan.Resolve(file, env, plan.Request{Stage: stage, Platforms: []guard.Platform{platform}})
		if err != nil {
			return err
		}
		dockerfile = plan.Lower(set.Targets[0].Plan)
	}
	_, err = out.Write(dockerfile)
	return err
}
