package cli

import (
	"fmt"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/selection"
)

// StagesValue is the value of --stage and --target for several stages.
type StagesValue struct{ selection.Patterns }

// String returns the patterns as the user wrote them. It implements pflag.Value, as do Set
// and Type.
func (v *StagesValue) String() string {
	var list []string
	for _, p := range v.Patterns {
		list = append(list, p.String())
	}
	return strings.Join(list, ",")
}

// Set adds patterns to those of earlier flags. As in buildx, "" selects nothing.
func (v *StagesValue) Set(s string) error {
	if s == "" {
		return nil
	}
	patterns, err := selection.ParsePatterns(s)
	v.Patterns = append(v.Patterns, patterns...)
	return err
}

// Type returns the name of the value in a usage line.
func (v *StagesValue) Type() string { return "stringArray" }

// StageValue is the value of --stage and --target for one stage.
type StageValue string

// String returns the stage. It implements pflag.Value, as do Set and Type.
func (v *StageValue) String() string { return string(*v) }

// Set accepts the same stage more than once. As in buildx, "" selects nothing.
func (v *StageValue) Set(s string) error {
	if s == "" {
		return nil
	}
	if *v != "" && *v != StageValue(s) {
		return fmt.Errorf("only one stage can be given, and --stage or --target is already %q", string(*v))
	}
	*v = StageValue(s)
	return nil
}

// Type returns the name of the value in a usage line.
func (v *StageValue) Type() string { return "string" }
