package plugin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/plugin/selection"
)

// formatValue is the form of a command's output.
type formatValue string

const (
	formatText formatValue = "text" // for people; may change
	formatJSON formatValue = "json" // for programs; fields are only ever added
)

// addFormatFlag adds --format to a command that has both forms.
func addFormatFlag(cmd *cobra.Command, value *formatValue) {
	cmd.Flags().Var(value, "format", `Format of the output ("text", "json")`)
	complete(cmd, "format", cobra.FixedCompletions(
		[]cobra.Completion{string(formatText), string(formatJSON)}, cobra.ShellCompDirectiveNoFileComp))
}

// String returns the format. It implements pflag.Value, as do Set and Type.
func (v *formatValue) String() string { return string(*v) }

// Set accepts a known format.
func (v *formatValue) Set(s string) error {
	switch f := formatValue(s); f {
	case formatText, formatJSON:
		*v = f
		return nil
	}
	return fmt.Errorf("must be %q or %q", formatText, formatJSON)
}

// Type names the kind of value in a usage line.
func (v *formatValue) Type() string { return "string" }

// stagesValue is the stages to build, behind both of its flags.
type stagesValue struct{ selection.Patterns }

// String returns the patterns as they are written. It implements pflag.Value, as
// do Set and Type.
func (v *stagesValue) String() string {
	var list []string
	for _, p := range v.Patterns {
		list = append(list, p.String())
	}
	return strings.Join(list, ",")
}

// Set adds patterns to those that were given before. As in buildx, "" asks for nothing.
func (v *stagesValue) Set(s string) error {
	if s == "" {
		return nil
	}
	patterns, err := selection.ParsePatterns(s)
	v.Patterns = append(v.Patterns, patterns...)
	return err
}

// Type names the kind of value in a usage line.
func (v *stagesValue) Type() string { return "stringArray" }

// stageValue is the stage to build, behind both of its flags.
type stageValue string

// String returns the stage. It implements pflag.Value, as do Set and Type.
func (v *stageValue) String() string { return string(*v) }

// Set accepts one stage, as often as it likes. As in buildx, "" asks for nothing.
func (v *stageValue) Set(s string) error {
	if s == "" {
		return nil
	}
	if *v != "" && *v != stageValue(s) {
		return fmt.Errorf("one stage can be built at a time, and %q was given before (--stage and --target are the same)", string(*v))
	}
	*v = stageValue(s)
	return nil
}

// Type names the kind of value in a usage line.
func (v *stageValue) Type() string { return "string" }

// frontendValue says how the Dockerfile frontend runs.
type frontendValue struct {
	// image is false for the frontend of this program.
	image bool
	// ref is the image to run, or "" for the one that the Dockerfile names and
	// else the one of this program's version.
	ref string
}

// String returns the value as it is written. It implements pflag.Value, as do
// Set and Type.
func (v *frontendValue) String() string {
	switch {
	case !v.image:
		return "inprocess"
	case v.ref == "":
		return "image"
	}
	return "image=" + v.ref
}

// Set accepts inprocess, image and image=REF.
func (v *frontendValue) Set(s string) error {
	kind, ref, hasRef := strings.Cut(s, "=")
	switch {
	case kind == "inprocess" && !hasRef:
		*v = frontendValue{}
	case kind == "image" && (!hasRef || ref != ""):
		*v = frontendValue{image: true, ref: ref}
	default:
		return errors.New(`must be "inprocess", "image" or "image=REF"`)
	}
	return nil
}

// Type names the kind of value in a usage line.
func (v *frontendValue) Type() string { return "string" }

// syntaxArg is the build arg that names the frontend image of a build.
const syntaxArg = "BUILDKIT_SYNTAX"

// apply adds the build arg that has buildx run the image, if one is named.
func (v *frontendValue) apply(buildArgs map[string]string) error {
	if v.ref == "" {
		return nil
	}
	if other, ok := buildArgs[syntaxArg]; ok && other != v.ref {
		return fmt.Errorf("--frontend=%s and --build-arg %s=%s name different frontends", v, syntaxArg, other)
	}
	buildArgs[syntaxArg] = v.ref
	return nil
}
