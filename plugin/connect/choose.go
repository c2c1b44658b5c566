package connect

import "fmt"

// Source is where the choice of a builder comes from.
type Source int

// The sources, in order of precedence. The first one that is set decides. If its
// builder cannot be reached, the build fails instead of trying the next source,
// which would have another cache and another network.
const (
	Flag         Source = iota // the --builder flag
	BuilderEnv                 // the BUILDX_BUILDER variable: a builder's name
	HostEnv                    // the BUILDKIT_HOST variable: a daemon's address
	CurrentStore               // the builder selected with `docker buildx use`
	DockerEngine               // the engine of the current docker context
)

// String returns the flag or variable, or a description for the last two sources.
func (s Source) String() string {
	switch s {
	case Flag:
		return "--builder"
	case BuilderEnv:
		return "BUILDX_BUILDER"
	case HostEnv:
		return "BUILDKIT_HOST"
	case CurrentStore:
		return "current buildx builder"
	case DockerEngine:
		return "docker context"
	}
	return fmt.Sprintf("Source(%d)", int(s))
}

// Choice is the outcome of [Choose].
type Choice struct {
	Source Source
	// Value is the name of a builder, or for HostEnv the address of a daemon. It
	// is empty for CurrentStore: buildx's store then has the current builder, or
	// else buildx uses the engine of the docker context.
	Value string
}

// Choose picks the source that decides, given the value of the --builder flag
// and a lookup of the environment.
func Choose(flag string, getenv func(string) string) Choice {
	if flag != "" {
		return Choice{Source: Flag, Value: flag}
	}
	for _, s := range []Source{BuilderEnv, HostEnv} {
		if v := getenv(s.String()); v != "" {
			return Choice{Source: s, Value: v}
		}
	}
	return Choice{Source: CurrentStore}
}
