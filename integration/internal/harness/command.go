package harness

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// builderName is the name of the buildx builder of every environment.
const builderName = "stagebuild"

// Environ returns the environment variables of commands: BUILDKIT_HOST, a current
// buildx builder and a DOCKER_CONFIG of this environment, and the tools first on
// PATH.
func (e *Env) Environ() []string {
	set := map[string]string{
		"BUILDKIT_HOST": e.BuildkitAddr,
		"BUILDX_CONFIG": filepath.Join(e.Dir, "buildx"),
		"DOCKER_CONFIG": e.DockerConfig,
		"PATH":          e.BinDir + string(os.PathListSeparator) + os.Getenv("PATH"),
	}
	for _, kv := range e.extra {
		name, value, _ := strings.Cut(kv, "=")
		set[name] = value
	}
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		_, ours := set[name]
		return ours || strings.HasPrefix(name, "BUILDX_") || strings.HasPrefix(name, "DOCKER_")
	})
	for _, name := range sortedKeys(set) {
		env = append(env, name+"="+set[name])
	}
	return env
}

// Output is the output of a command.
type Output struct {
	Stdout, Stderr string
}

// Run runs a program of this machine or of BinDir with [Env.Environ]. If it
// fails, the error contains the command line and the output.
func (e *Env) Run(ctx context.Context, name string, args ...string) (Output, error) {
	return capture(e.Command(ctx, name, args...), name, args)
}

// capture runs a command and returns its output.
func capture(cmd *exec.Cmd, name string, args []string) (Output, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	out := Output{Stdout: stdout.String(), Stderr: stderr.String()}
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out.Stdout, out.Stderr)
	}
	return out, err
}

// Command prepares a program with [Env.Environ], for tests that need more than
// [Env.Run].
func (e *Env) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	path := name
	if bin := filepath.Join(e.BinDir, name); filepath.Base(name) == name && isExecutable(bin) {
		path = bin
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = e.Environ()
	return cmd
}

// Buildctl runs buildctl.
func (e *Env) Buildctl(ctx context.Context, args ...string) (Output, error) {
	return e.Run(ctx, "buildctl", args...)
}

// Buildx runs docker-buildx, whose current builder is this environment's.
func (e *Env) Buildx(ctx context.Context, args ...string) (Output, error) {
	return e.Run(ctx, "docker-buildx", args...)
}

// Docker runs the docker CLI, which has buildx as a plugin.
func (e *Env) Docker(ctx context.Context, args ...string) (Output, error) {
	return e.Run(ctx, "docker", args...)
}

// createBuilder makes the daemon the current buildx builder.
func (e *Env) createBuilder(ctx context.Context) error {
	_, err := e.Buildx(ctx, "create", "--name", builderName, "--driver", "remote", "--use", e.BuildkitAddr)
	return err
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&0o111 != 0
}
