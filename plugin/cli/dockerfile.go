package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/buildx/util/buildflags"
	"github.com/moby/buildkit/frontend/dockerui"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// ReadDockerfile reads and parses the Dockerfile that a build with these
// arguments would use. It is for the commands that need no builder, so the
// context is a folder, or "-" for a Dockerfile on standard input. A faulty file comes
// with its error: resolving it says what else is wrong.
func ReadDockerfile(contextPath, file string, stdin io.Reader) (*syntax.File, error) {
	name, data, err := LoadDockerfile(contextPath, file, stdin)
	if err != nil {
		return nil, err
	}
	return syntax.Parse(source.NewFile(name, data))
}

// LoadDockerfile returns the file's name as the user would write it, and its bytes.
func LoadDockerfile(contextPath, file string, stdin io.Reader) (string, []byte, error) {
	switch {
	case file == "-", file == "" && contextPath == "-":
		data, err := io.ReadAll(stdin)
		if err != nil {
			return "", nil, fmt.Errorf("reading the Dockerfile from standard input: %w", err)
		}
		return "stdin", data, nil
	case file != "":
		// As for a build, a file that is named is not looked for in the context.
		data, err := os.ReadFile(file)
		return file, data, err
	}
	name := filepath.Join(contextPath, dockerui.DefaultDockerfileName)
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		// BuildKit also takes one in lower case.
		lower := filepath.Join(contextPath, "dockerfile")
		if data, err := os.ReadFile(lower); err == nil {
			return lower, data, nil
		}
	}
	return name, data, err
}

// PlanEnv returns the environment of a build on a builder of the given platform.
func PlanEnv(own ocispecs.Platform, buildArgs, contexts []string, lookup LookupEnv) (plan.Env, error) {
	env := plan.Env{Build: own, Contexts: map[string]bool{}}
	var err error
	if env.Args, err = KeyValues("build-arg", buildArgs, lookup); err != nil {
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

// LookupEnv is os.LookupEnv.
type LookupEnv func(string) (string, bool)

// KeyValues splits the KEY=VALUE and KEY values of a flag. A KEY by itself gets
// its value from env, or is empty where env is nil. Values may be secret, so
// that no error shows them.
func KeyValues(flag string, given []string, env LookupEnv) (map[string]string, error) {
	values := make(map[string]string, len(given))
	for _, kv := range given {
		k, v, ok := strings.Cut(kv, "=")
		if k == "" {
			return nil, fmt.Errorf("--%s: a name is needed before the value", flag)
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

// DockerfileOptions are the flags of all commands that are about a Dockerfile and
// need no builder, as they were written.
type DockerfileOptions struct {
	ContextPath string
	File        string
	BuildArgs   []string
	Contexts    []string
}

// AddFlags adds the flags to a command.
func (o *DockerfileOptions) AddFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	standard := "Dockerfile"
	if takesPath(cmd) {
		standard = "PATH/Dockerfile"
	}
	flags.StringVarP(&o.File, "file", "f", "", fmt.Sprintf("Name of the Dockerfile (default: %q)", standard))
	flags.StringArrayVar(&o.BuildArgs, "build-arg", nil, "Set build-time variables")
	flags.StringArrayVar(&o.Contexts, "build-context", nil, "Additional build contexts (e.g., name=path)")
}

// takesPath reports whether the argument of a command is the build context.
func takesPath(cmd *cobra.Command) bool {
	return strings.Contains(cmd.Use, "PATH")
}

// SetPath takes the one argument of a command, PATH or "-", if it is there.
func (o *DockerfileOptions) SetPath(args []string) {
	o.ContextPath = "."
	if len(args) > 0 {
		o.ContextPath = args[0]
	}
}

// Read returns the file, which comes with its error when it is faulty, unless nothing
// at all can be said of it.
func (o *DockerfileOptions) Read(stdin io.Reader) (*syntax.File, error) {
	file, err := ReadDockerfile(o.ContextPath, o.File, stdin)
	if file != nil && err == nil {
		if err := file.BuildKitError(); err != nil {
			return nil, fmt.Errorf("%s: %w", file.Source.Name, err)
		}
	}
	return file, err
}

// Env is what decides about the file on this machine, beside the file.
func (o *DockerfileOptions) Env(lookup LookupEnv) (plan.Env, error) {
	return PlanEnv(LocalPlatform(), o.BuildArgs, o.Contexts, lookup)
}
