package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// usageError is the error for an invalid command line.
type usageError struct {
	command string // the path of the command, for the hint
	err     error
}

func (e *usageError) Error() string {
	return fmt.Sprintf("%v\nSee '%s --help'.", e.err, e.command)
}

func (e *usageError) Unwrap() error { return e.err }

// NewUsageError returns the error for an invalid command line of cmd, with a hint on its help.
func NewUsageError(cmd *cobra.Command, err error) error {
	return &usageError{command: cmd.CommandPath(), err: err}
}

// ExactArgs accepts exactly n arguments. An error describes them as description.
func ExactArgs(n int, description string) cobra.PositionalArgs {
	return countArgs(n, n, description)
}

// OptionalPath accepts the argument of commands that need no builder: PATH, "-" or none.
func OptionalPath() cobra.PositionalArgs {
	return countArgs(0, 1, "at most one PATH or -")
}

func countArgs(low, high int, description string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if low <= len(args) && len(args) <= high {
			return nil
		}
		return &usageError{
			command: cmd.CommandPath(),
			err:     fmt.Errorf("%q takes %s; %d given", cmd.CommandPath(), description, len(args)),
		}
	}
}

// UnknownCommand returns the error for a command that does not exist.
func UnknownCommand(cmd *cobra.Command, given string) error {
	msg := fmt.Sprintf("unknown command %q", given)
	if near := cmd.SuggestionsFor(given); len(near) > 0 {
		msg += fmt.Sprintf("; did you mean %q?", near[0])
	}
	return NewUsageError(cmd, errors.New(msg))
}

// PluginName is the word after "docker", and the executable's name without the prefix
// that the Docker CLI looks for.
const PluginName = "stagebuild"
