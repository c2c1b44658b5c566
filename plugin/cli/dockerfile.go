package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/docker/buildx/util/buildflags"
	"github.com/moby/buildkit/frontend/dockerui"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/plugin/offline"
)

// ReadDockerfile reads and parses the Dockerfile that a build with these arguments uses. The
// context is a directory, or "-" for a Dockerfile on standard input. For an invalid
// Dockerfile, it returns both the file and the error, because resolving the file finds
// further diagnostics.
func ReadDockerfile(contextPath, file string, stdin io.Reader) (*syntax.File, error) {
	name, data, err := LoadDockerfile(contextPath, file, stdin)
	if err != nil {
		return nil, err
	}
	return syntax.Parse(source.NewFile(name, data))
}

// LoadDockerfile returns the name of the file, as a user would type it, and its content. Like
// a build, it reads only a regular file, and follows only links inside of its directory.
func LoadDockerfile(contextPath, file string, stdin io.Reader) (string, []byte, error) {
	switch {
	case file == "-", file == "" && contextPath == "-":
		data, err := offline.ReadAll(stdin)
		if err != nil {
			return "", nil, fmt.Errorf("reading the Dockerfile from standard input: %w", err)
		}
		return "stdin", data, nil
	case file != "":
		// As for a build, --file is not relative to the context.
		data, err := offline.ReadFile(file)
		return file, data, err
	}
	name := filepath.Join(contextPath, dockerui.DefaultDockerfileName)
	data, err := offline.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		// BuildKit accepts the name in lower case too.
		lower := filepath.Join(contextPath, "dockerfile")
		if data, err := offline.ReadFile(lower); err == nil {
			return lower, data, nil
		}
	}
	return name, data, err
}

// PlanEnv returns the environment of a build on a builder of the given platform.
func PlanEnv(own ocispecs.Platform, buildArgs, contexts []string, lookup LookupEnv) (plan.Env, error) {
	env := plan.Env{Build: own, Contexts: map[string]bool{}}
	var err error
	if env.Args, err = BuildArgs(buildArgs, lookup); err != nil {
		return env, err
	}
	names, err := buildflags.ParseContextNames(contexts)
	if err != nil {
		return env, fmt.Errorf("--build-context: %w", err)
	}
	for name := range names {
		env.Contexts[strings.ToLower(name)] = true
	}
	return env, nil
}

// epochArg is the build arg, and the environment variable, for a build's timestamps
// (https://reproducible-builds.org/specs/source-date-epoch).
const epochArg = "SOURCE_DATE_EPOCH"

// BuildArgs parses --build-arg. A build arg without a value takes the environment's value,
// or is omitted. SOURCE_DATE_EPOCH is taken from the environment too.
func BuildArgs(given []string, env LookupEnv) (map[string]string, error) {
	args, err := KeyValues("build-arg", given, env)
	if err != nil {
		return nil, err
	}
	if _, ok := args[epochArg]; !ok {
		if v, _ := env(epochArg); v != "" {
			args[epochArg] = v
		}
	}
	return args, nil
}

// LookupEnv returns the value of an environment variable, as os.LookupEnv does.
type LookupEnv func(string) (string, bool)

// KeyValues parses the KEY=VALUE and KEY values of a flag. A KEY without a value takes its
// value from env and is omitted if env has none; if env is nil, its value is empty. Errors
// show no values, because a value can be secret.
func KeyValues(flag string, given []string, env LookupEnv) (map[string]string, error) {
	values := make(map[string]string, len(given))
	for _, kv := range given {
		k, v, ok := strings.Cut(kv, "=")
		if k == "" {
			return nil, fmt.Errorf("--%s: the name before the value is missing; write NAME=VALUE", flag)
		}
		if !ok && env != nil {
			if v, ok = env(k); !ok {
				continue
			}
		}
		values[k] = v
	}
	return values, nil
}

// DockerfileOptions are the flags of every command that reads a Dockerfile without a
// builder, as the user wrote them.
type DockerfileOptions struct {
	ContextPath string
	File        string
	BuildArgs   []string
	Contexts    []string
}

// AddFlags adds the flags to cmd.
func (o *DockerfileOptions) AddFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	defaultFile := "Dockerfile"
	if takesPath(cmd) {
		defaultFile = "PATH/Dockerfile"
	}
	flags.StringVarP(&o.File, "file", "f", "", fmt.Sprintf("Name of the Dockerfile (default: %q)", defaultFile))
	flags.StringArrayVar(&o.BuildArgs, "build-arg", nil, "Set build-time variables")
	flags.StringArrayVar(&o.Contexts, "build-context", nil, "Additional build contexts (e.g., name=path)")
}

// takesPath reports whether the argument of cmd is the build context.
func takesPath(cmd *cobra.Command) bool {
	return strings.Contains(cmd.Use, "PATH")
}

// SetPath sets the build context from the arguments of a command: PATH, "-" or none.
func (o *DockerfileOptions) SetPath(args []string) {
	o.ContextPath = "."
	if len(args) > 0 {
		o.ContextPath = args[0]
	}
}

// Read reads and parses the Dockerfile. For an invalid Dockerfile it returns both the file
// and the error, unless BuildKit cannot parse the file at all.
func (o *DockerfileOptions) Read(stdin io.Reader) (*syntax.File, error) {
	file, err := ReadDockerfile(o.ContextPath, o.File, stdin)
	if file != nil && err == nil {
		if err := file.BuildKitError(); err != nil {
			return nil, fmt.Errorf("%s: %w", file.Source.Name, err)
		}
	}
	return file, err
}

// Env returns the environment of a build on this machine.
func (o *DockerfileOptions) Env(lookup LookupEnv) (plan.Env, error) {
	return PlanEnv(LocalPlatform(), o.BuildArgs, o.Contexts, lookup)
}
