package plugin

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

	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// readDockerfile reads and parses the Dockerfile that a build with these
// arguments would use. It is for the commands that need no builder, so the
// context is a folder, or "-" for a Dockerfile on standard input. A faulty file comes
// with its error: resolving it says what else is wrong.
func readDockerfile(contextPath, file string, stdin io.Reader) (*syntax.File, error) {
	name, data, err := loadDockerfile(contextPath, file, stdin)
	if err != nil {
		return nil, err
	}
	return syntax.Parse(source.NewFile(name, data))
}

// loadDockerfile returns the file's name as the user would write it, and its bytes.
func loadDockerfile(contextPath, file string, stdin io.Reader) (string, []byte, error) {
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

// planEnv returns the environment of a build on a builder of the given platform.
func planEnv(own ocispecs.Platform, buildArgs, contexts []string, lookup lookupEnv) (plan.Env, error) {
	env := plan.Env{Build: own, Contexts: map[string]bool{}}
	var err error
	if env.Args, err = keyValues("build-arg", buildArgs, lookup); err != nil {
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
