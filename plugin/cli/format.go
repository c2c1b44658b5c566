package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// FormatValue is the value of --format for a command with two formats.
type FormatValue string

const (
	// FormatText is for people; it can change.
	FormatText FormatValue = "text"
	// FormatJSON is for programs; released versions only add fields.
	FormatJSON FormatValue = "json"
)

// AddFormatFlag adds --format to cmd.
func AddFormatFlag(cmd *cobra.Command, value *FormatValue) {
	cmd.Flags().Var(value, "format", `Format of the output ("text", "json")`)
	CompleteFlag(cmd, "format", cobra.FixedCompletions(
		[]cobra.Completion{string(FormatText), string(FormatJSON)}, cobra.ShellCompDirectiveNoFileComp))
}

// String returns the format. It implements pflag.Value, as do Set and Type.
func (v *FormatValue) String() string { return string(*v) }

// Set sets a known format.
func (v *FormatValue) Set(s string) error {
	switch f := FormatValue(s); f {
	case FormatText, FormatJSON:
		*v = f
		return nil
	}
	return fmt.Errorf("must be %q or %q", FormatText, FormatJSON)
}

// Type returns the name of the value in a usage line.
func (v *FormatValue) Type() string { return "string" }
