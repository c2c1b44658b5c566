package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// FormatValue is the form of a command's output.
type FormatValue string

const (
	FormatText FormatValue = "text" // for people; may change
	FormatJSON FormatValue = "json" // for programs; fields are only ever added
)

// AddFormatFlag adds --format to a command that has both forms.
func AddFormatFlag(cmd *cobra.Command, value *FormatValue) {
	cmd.Flags().Var(value, "format", `Format of the output ("text", "json")`)
	CompleteFlag(cmd, "format", cobra.FixedCompletions(
		[]cobra.Completion{string(FormatText), string(FormatJSON)}, cobra.ShellCompDirectiveNoFileComp))
}

// String returns the format. It implements pflag.Value, as do Set and Type.
func (v *FormatValue) String() string { return string(*v) }

// Set accepts a known format.
func (v *FormatValue) Set(s string) error {
	switch f := FormatValue(s); f {
	case FormatText, FormatJSON:
		*v = f
		return nil
	}
	return fmt.Errorf("must be %q or %q", FormatText, FormatJSON)
}

// Type names the kind of value in a usage line.
func (v *FormatValue) Type() string { return "string" }
