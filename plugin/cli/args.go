package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// usageError is a command line that cannot be run as it was written.
type usageError struct {
	command string // the command's path, for the hint
	err     error
}

func (e *usageError) Error() string {
	return fmt.Sprintf("%v\nSee '%s --help'.", e.err, e.command)
}

func (e *usageError) Unwrap() error { return e.err }

// NewUsageError returns the error of a command whose command line is wrong.
func NewUsageError(cmd *cobra.Command, err error) error {
	return &usageError{command: cmd.CommandPath(), err: err}
}

// ExactArgs accepts n arguments, called what.
func ExactArgs(n int, what string) cobra.PositionalArgs {
	return countArgs(n, n, what)
}

// OptionalPath accepts what the commands take that need no builder.
func OptionalPath() cobra.PositionalArgs {
	return countArgs(0, 1, "at most one PATH or -")
}

func countArgs(low, high int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if low <= len(args) && len(args) <= high {
			return nil
		}
		return &usageError{
			command: cmd.CommandPath(),
			err:     fmt.Errorf("%q takes %s, %d arguments given", cmd.CommandPath(), what, len(args)),
		}
	}
}

// UnknownCommand is the error for a command that does not exist.
func UnknownCommand(cmd *cobra.Command, given string) error {
	msg := fmt.Sprintf("unknown command %q", given)
	if near := cmd.SuggestionsFor(given); len(near) > 0 {
		msg += fmt.Sprintf(", did you mean %q?", near[0])
	}
	return NewUsageError(cmd, errors.New(msg))
}

// PluginName is the word after "docker", and the executable's name without the prefix
// that the Docker CLI looks for.
const PluginName = "stagebuild"
