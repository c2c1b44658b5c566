package connect

import (
	"fmt"
	"strings"
)

// Error says that no builder can be reached, what was tried and how to get one.
type Error struct {
	// Source is the one that decided, Name its builder, context or address.
	Source Source
	Name   string
	// Missing is set if buildx has no builder of that name.
	Missing bool
	// Err is why that one cannot be used.
	Err error
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// Error lists every source up to the one that decided, and one command.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("no builder can be reached. Tried, in order:\n")
	for s := Flag; s < e.Source; s++ {
		fmt.Fprintf(&b, "  %-24s%s\n", s, absence(s))
	}
	name := e.Name
	if name != "" {
		name += ": "
	}
	fmt.Fprintf(&b, "  %-24s%s%v\n", e.Source, name, e.Err)
	b.WriteString(e.advice())
	return b.String()
}

// absence says that a source was asked and had no answer.
func absence(s Source) string {
	switch s {
	case Flag:
		return "not given"
	case CurrentStore:
		return "none"
	default:
		return "not set"
	}
}

// advice is one sentence that ends in the command that sets a builder up.
func (e *Error) advice() string {
	switch {
	case e.Source == HostEnv:
		return "Start a BuildKit daemon there with: buildkitd --addr " + e.Name
	case e.Source == DockerEngine:
		return "Start the Docker Engine, or use a BuildKit daemon with: docker buildx create --use --driver remote unix:///run/buildkit/buildkitd.sock"
	case e.Missing:
		return "Set it up with: docker buildx create --bootstrap --name " + e.Name
	}
	return "Start it with: docker buildx inspect --bootstrap " + e.Name
}
