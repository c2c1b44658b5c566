package plugin

import (
	"fmt"
	"io"
	"os"

	"github.com/containerd/platforms"
	"github.com/docker/cli/cli/command"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend/plan"
)

// renderOptions are the flags of the render command, as they were written.
type renderOptions struct {
	contextPath string
	file        string
	stage       stageValue
	platform    string
	buildArgs   []string
	contexts    []string
}

func newRenderCommand(dockerCLI command.Cli) *cobra.Command {
	options := renderOptions{contextPath: "."}
	cmd := &cobra.Command{
		Use:   "render [OPTIONS] [PATH | -]",
		Short: "Print the plain Dockerfile of one platform",
		Long: `Print the plain Dockerfile that a staged one stands for, on one platform and
with one set of build args. It has the same lines: what is not selected is
commented out. No builder is needed.`,
		Example: `  # What is built for arm64
  docker stagebuild render --platform linux/arm64

  # What a build arg changes
  diff <(docker stagebuild render) \
    <(docker stagebuild render --build-arg DEBUG=1)

  # Build it with any BuildKit
  docker stagebuild render | docker buildx build -f - .`,
		Args:                  maxArgs(1, "at most one PATH or -"),
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     completePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				options.contextPath = args[0]
			}
			env, err := options.env(os.LookupEnv)
			if err != nil {
				return &usageError{command: cmd.CommandPath(), err: err}
			}
			return runRender(dockerCLI.Out(), dockerCLI.In(), options, env)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&options.file, "file", "f", "", `Name of the Dockerfile (default: "PATH/Dockerfile")`)
	flags.Var(&options.stage, "stage", "Set the stage to build")
	flags.Var(&options.stage, "target", "Set the stage to build (the same as --stage)")
	flags.StringVar(&options.platform, "platform", "", `Set the target platform (default: "linux" on this machine's architecture)`)
	flags.StringArrayVar(&options.buildArgs, "build-arg", nil, "Set build-time variables")
	flags.StringArrayVar(&options.contexts, "build-context", nil, "Additional build contexts (e.g., name=path)")
	completeDockerfileFlags(cmd, false)
	complete(cmd, "platform", completePlatform)
	return cmd
}

// env is what decides about the file, beside the file.
func (o *renderOptions) env(lookup lookupEnv) (plan.Env, error) {
	env, err := planEnv(localPlatform(), o.buildArgs, o.contexts, lookup)
	if err != nil {
		return env, err
	}
	env.Stage = string(o.stage)
	if o.platform != "" {
		p, err := platforms.Parse(o.platform)
		if err != nil {
			return env, fmt.Errorf("--platform: %w", err)
		}
		env.Target = platforms.Normalize(p)
	}
	return env, nil
}

// localPlatform is what a builder on this machine would build for: its
// architecture, and Linux on machines of other systems too.
func localPlatform() ocispecs.Platform {
	p := platforms.DefaultSpec()
	return platforms.Normalize(ocispecs.Platform{OS: "linux", Architecture: p.Architecture, Variant: p.Variant})
}

func runRender(out io.Writer, stdin io.Reader, options renderOptions, env plan.Env) error {
	file, err := readDockerfile(options.contextPath, options.file, stdin)
	if file == nil {
		return err
	}
	dockerfile := file.Source.Data
	if file.UsesLanguage {
		p, err := plan.Resolve(file, env)
		if err != nil {
			return err
		}
		dockerfile = plan.Lower(p)
	}
	_, err = out.Write(dockerfile)
	return err
}
