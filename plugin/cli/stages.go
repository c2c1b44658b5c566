package cli

import (
	"fmt"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/selection"
)

// StagesValue is the stages to build, behind both of its flags.
type StagesValue struct{ selection.Patterns }

// String returns the patterns as they are written. It implements pflag.Value, as
// do Set and Type.
func (v *StagesValue) String() string {
	var list []string
	for _, p := range v.Patterns {
		list = append(list, p.String())
	}
	return strings.Join(list, ",")
}

// Set adds patterns to those that were given before. As in buildx, "" asks for nothing.
func (v *StagesValue) Set(s string) error {
	if s == "" {
		return nil
	}
	patterns, err := selection.ParsePatterns(s)
	v.Patterns = append(v.Patterns, patterns...)
	return err
}

// Type names the kind of value in a usage line.
func (v *StagesValue) Type() string { return "stringArray" }

// StageValue is the stage to build, behind both of its flags.
type StageValue string

// String returns the stage. It implements pflag.Value, as do Set and Type.
func (v *StageValue) String() string { return string(*v) }

// Set accepts one stage, as often as it likes. As in buildx, "" asks for nothing.
func (v *StageValue) Set(s string) error {
	if s == "" {
		return nil
	}
	if *v != "" && *v != StageValue(s) {
		return fmt.Errorf("one stage can be built at a time, and %q was given before (--stage and --target are the same)", string(*v))
	}
	*v = StageValue(s)
	return nil
}

// Type names the kind of value in a usage line.
func (v *StageValue) Type() string { return "string" }
