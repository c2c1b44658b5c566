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
	// Declaration returns how to declare a name that Lookup does not find, and whether
	// the file declares it elsewhere.
	Declaration(name string) (advice string, isElsewhere bool)
}

// Arg is a build arg at one place in a file.
type Arg struct {
	// Value is the arg's value, "" for an arg without one.
	Value string
	// Unknown is the variable that makes the value unknown before the build. It is
	// zero if the value is known.
	Unknown Unknown
	// IsEnv is set for a name that only an ENV instruction sets.
	IsEnv bool
	// EnvLine is the 1-based line of that ENV, or 0 if the file does not have it.
	EnvLine int
	// IsAutomatic is set if BuildKit sets the arg, to a property of a platform.
	IsAutomatic bool
	// Invalid is set if the value depends on an error that has been reported.
	// Consequences of that error are not reported again.
	Invalid bool
}

// Unknown is a variable in the default of an arg whose value is only known during the
// build.
type Unknown struct {
	// Variable is the variable with its dollar sign: "$PATH".
	Variable string
	// Cause is a clause about the variable, "which ENV on line 2 sets"
	// for example, or "".
	Cause string
	// Hint is what to write, or "" if nothing more is known than that.
	Hint string
}

// IsUnknown reports whether there is such a variable.
func (u Unknown) IsUnknown() bool {
	return u.Variable != ""
}
