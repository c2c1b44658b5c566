package guard

import ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

// Platform is an OCI platform (image-spec, image-index.md).
type Platform = ocispecs.Platform

// Scope gives the names of a condition their values.
type Scope interface {
	// Lookup returns the arg of that name, if it is declared.
	Lookup(name string) (Arg, bool)
	// Names returns every declared name, for suggestions.
	Names() []string
}

// Arg is what a name stands for at one place in a file.
type Arg struct {
	// Value is the arg's text, "" for an arg without a value.
	Value string
	// Unknown is the reference that keeps the value from being known before
	// the build, "$PATH" for example; empty when the value is known.
	Unknown string
	// IsEnv is set for a name that only an ENV instruction gives a value to.
	IsEnv bool
	// Invalid is set if the value depends on an error that has been reported.
	// Consequences of that error are not reported again.
	Invalid bool
}
