package connect

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/stagebuild/stagebuild/plugin/buildinfo"
	"github.com/stagebuild/stagebuild/plugin/daemon"
)

// Error reports that no builder can be reached. Its message lists the sources that
// were tried, and ends with a command that sets a builder up.
type Error struct {
	// Source is the source that decided. Name is its builder, docker context or
	// address.
	Source Source
	Name   string
	// Missing is set if there is no builder or docker context of that name. Context
	// is set if the name is that of a docker context other than the current one.
	Missing, Context bool
	// Embedded is set if the private daemon was chosen by name.
	Embedded bool
	// Err is the reason why the builder cannot be used.
	Err error
	// Private is the reason why the private daemon cannot be used instead. It is
	// nil if the private daemon was not tried.
	Private error
}

// Unwrap returns Err and Private.
func (e *Error) Unwrap() []error {
	if e.Private == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Private}
}

// Error lists every source up to the one that decided, then one command.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("no builder can be reached. Tried, in order:\n")
	for s := Flag; s < e.Source; s++ {
		fmt.Fprintf(&b, "  %-24s%s\n", s, unset(s))
	}
	name := e.Name
	if name != "" {
		name += ": "
	}
	fmt.Fprintf(&b, "  %-24s%s%v\n", e.Source, name, e.Err)
	if e.Private != nil {
		fmt.Fprintf(&b, "  %-24s%v\n", "private daemon", e.Private)
	}
	b.WriteString(e.advice())
	return b.String()
}

// unset describes a source that is not set.
func unset(s Source) string {
	switch s {
	case Flag:
		return "not given"
	case CurrentStore:
		return "none"
	default:
		return "not set"
	}
}

// otherDaemon is the command that makes a builder of an existing daemon.
const otherDaemon = "docker buildx create --use --driver remote unix:///run/buildkit/buildkitd.sock"

// advice returns a sentence that ends with the command that sets a builder up.
func (e *Error) advice() string {
	install := installCommand(e)
	switch {
	case e.Source == HostEnv:
		return "Start a BuildKit daemon there with: buildkitd --addr " + e.Name
	case e.Source == DockerEngine && e.Missing && os.Getenv("DOCKER_CONTEXT") != "":
		return "Use docker's own choice with: unset DOCKER_CONTEXT"
	case e.Source == DockerEngine && e.Missing:
		return "Use another docker context with: docker context use default"
	case e.Source == DockerEngine && install != "":
		return "Start the Docker Engine, or install a BuildKit daemon with: " + install
	case e.Source == DockerEngine:
		return "Start the Docker Engine, or use a BuildKit daemon with: " + otherDaemon
	case install != "":
		return "Install it with: " + install
	case e.Embedded:
		return "Use another BuildKit daemon with: " + otherDaemon
	case e.Context:
		return "Build on its engine with: docker --context " + e.Name + " stagebuild build"
	case e.Missing:
		return "Set it up with: docker buildx create --bootstrap --name " + e.Name
	}
	return "Start it with: docker buildx inspect --bootstrap " + e.Name
}

// installCommand returns the command that installs the programs that the private
// daemon lacks, or "" if err is not about missing programs.
func installCommand(err error) string {
	missing, ok := errors.AsType[*daemon.MissingError](err)
	if !ok {
		return ""
	}
	return missing.Install(buildinfo.Read().BuildKit, runtime.GOARCH, os.Geteuid() == 0)
}
