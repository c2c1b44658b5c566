package connect

import "fmt"

// Source is where the choice of a builder comes from.
type Source int

// The sources, in the order in which they are asked. The first one that has an
// answer decides: a builder that was asked for and cannot be reached is an
// error, since a build elsewhere would use another cache and another network.
const (
	Flag         Source = iota // the --builder flag
	BuilderEnv                 // the BUILDX_BUILDER variable: a builder's name
	HostEnv                    // the BUILDKIT_HOST variable: a daemon's address
	CurrentStore               // the builder that `docker buildx use` selected
	DockerEngine               // the engine of the current docker context
)

// String names the source as a user knows it.
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
	// Value is the name of a builder, for HostEnv the address of a daemon.
	// CurrentStore has none: it stands for the builder that buildx's store
	// holds as current, which may turn out to be the docker context's engine.
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
