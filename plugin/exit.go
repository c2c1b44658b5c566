package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/docker/buildx/util/desktop"
	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/debug"
	solvererrdefs "github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/sourcepolicy/policysession"
	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/moby/buildkit/util/stack"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"

	"github.com/stagebuild/stagebuild/frontend/source"
)

// Exit statuses of the program, beside that of a failed check (see statusError).
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130 // 128 + SIGINT, as shells report it
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

// statusError ends the program with a status and no message: what there is to
// say has been printed.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// exactArgs accepts n arguments, called what.
func exactArgs(n int, what string) cobra.PositionalArgs {
	return countArgs(n, n, what)
}

// optionalPath accepts what the commands take that need no builder.
func optionalPath() cobra.PositionalArgs {
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

// unknownCommand is the error for a command that does not exist.
func unknownCommand(cmd *cobra.Command, given string) error {
	msg := fmt.Sprintf("unknown command %q", given)
	if near := cmd.SuggestionsFor(given); len(near) > 0 {
		msg += fmt.Sprintf(", did you mean %q?", near[0])
	}
	return &usageError{command: cmd.CommandPath(), err: errors.New(msg)}
}

// Report prints the error of a run to w, with the lines of the Dockerfile that
// it is about, and returns the exit status of the process.
func Report(w io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	if status, ok := errors.AsType[statusError](err); ok {
		return int(status)
	}
	list, failed := errors.AsType[failures](err)
	for _, one := range list {
		printError(w, one)
	}
	switch {
	case interrupted(err):
		fmt.Fprintln(w, "Interrupted")
		return exitInterrupted
	case failed:
		return exitFailed
	}
	printError(w, err)

	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	// 125 is how the Docker CLI reports a flag that it does not know.
	if status, ok := errors.AsType[cli.StatusError](err); ok && status.StatusCode == 125 {
		return exitUsage
	}
	return exitFailed
}

// interrupted reports whether a run ended because it was cancelled, here or,
// through the daemon, with a gRPC status.
func interrupted(err error) bool {
	return errors.Is(err, context.Canceled) || grpcerrors.Code(err) == codes.Canceled
}

func printError(w io.Writer, err error) {
	for _, msg := range policysession.DenyMessages(err) {
		if m := msg.GetMessage(); m != "" {
			fmt.Fprintf(w, "Policy: %s\n", m)
		}
	}
	for _, s := range solvererrdefs.Sources(err) {
		// A failure to write to the error stream can be told nowhere.
		_ = s.Print(w)
	}
	diagnostics := source.Diagnostics(err)
	for _, d := range diagnostics {
		fmt.Fprintf(w, "%s\nERROR: %v\n", d.Snippet(), d)
	}
	switch {
	case len(diagnostics) > 0:
	case debug.IsEnabled():
		fmt.Fprintf(w, "ERROR: %+v\n", stack.Formatter(err))
	default:
		fmt.Fprintf(w, "ERROR: %s\n", strings.TrimRight(err.Error(), "\n"))
	}
	if ref, ok := errors.AsType[*desktop.ErrorWithBuildRef](err); ok {
		_ = ref.Print(w)
	}
}
