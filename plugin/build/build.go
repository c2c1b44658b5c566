package build

import (
	"os"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/plugin/cli"
)

// NewCommand returns the build command.
func NewCommand(dockerCLI command.Cli) *cobra.Command {
	options := newOptions()
	cmd := &cobra.Command{
		Use:     "build [OPTIONS] PATH | URL | -",
		Aliases: []string{"b"},
		Short:   "Build stages of a Dockerfile for one or more platforms",
		Long: `Build one or more stages of a Dockerfile, each for one or more platforms.

PATH is a directory, URL is a Git repository or an archive, and - reads an
archive or a Dockerfile from standard input. The flags are those of
"docker buildx build" and a few more: --stage, --fail-fast and --frontend.
--target takes several stages, and --platform also takes all and local.

Several stages build at the same time, each into its own image or files. Inputs
that they share are read once. If a stage fails, the others continue.

--tag, --output, --cache-from, --cache-to, --metadata-file and --iidfile can be
templates with {{.Stage}}, {{.Platform}}, {{.OS}}, {{.Arch}}, {{.Variant}} and
{{.Arg "NAME"}}. Platforms with different values build separately.`,
		Example: `  # Build the default stage and load the image into Docker
  docker stagebuild build --load -t app .

  # Build one stage for two platforms, and push the image
  docker stagebuild build --stage release --platform linux/amd64,linux/arm64 \
    --push -t registry.example.com/app .

  # Build two stages, each with its own tag
  docker stagebuild build --stage api,worker \
    --push -t 'registry.example.com/{{.Stage}}:1.2' .

  # Build all stages except the debug stages, for all declared platforms
  docker stagebuild build --stage '!*-debug' --platform all .

  # Write files instead of an image, from a Git repository
  docker stagebuild build -o type=local,dest=out https://git.example.com/app.git

  # Build on a BuildKit daemon that is not a buildx builder
  BUILDKIT_HOST=unix:///run/buildkit/buildkitd.sock \
    docker stagebuild build .`,
		Args:                  cli.ExactArgs(1, "one PATH, URL or -"),
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     cli.CompletePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			options.contextPath = args[0]
			display, err := options.check(os.LookupEnv)
			if err != nil {
				return cli.NewUsageError(cmd, err)
			}
			return runBuild(cmd.Context(), dockerCLI, options, display, os.LookupEnv)
		},
	}
	options.addFlags(cmd, os.Getenv)
	cli.CompleteFlag(cmd, "builder", cli.CompleteBuilders(dockerCLI))
	cli.CompleteDockerfile(cmd, true)
	completeBuildFlags(cmd)
	return cmd
}
