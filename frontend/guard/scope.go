package guard

import ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

// Platform is an OCI platform (image-spec, image-index.md).
type Platform = ocispecs.Platform

// Scope holds the values of the build args at one place in a file.
type Scope interface {
	// Lookup returns the arg with a name, and whether it is declared.
	Lookup(name string) (Arg, bool)
	// Names returns every declared name, for suggestions.
	Names() []string
}

// Arg is a build arg at one place in a file.
type Arg struct {
	// Value is the arg's value, "" for an arg without one.
	Value string
	// Unknown is the variable that is only known during the build and that the
	// value depends on, "$PATH" for example. It is empty if the value is known.
	Unknown string
	// IsEnv is set for a name that only an ENV instruction sets.
	IsEnv bool
	// IsAutomatic is set if BuildKit sets the arg, to a property of a platform.
	IsAutomatic bool
	// Invalid is set if the value depends on an error that has been reported.
	// Consequences of that error are not reported again.
	Invalid bool
}
