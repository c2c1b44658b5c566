package cli

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
	"google.golang.org/grpc/codes"

	"github.com/stagebuild/stagebuild/frontend/source"
)

// The exit statuses of the program. A [StatusError] has a status of its own.
const (
	exitDone        = 0
	ExitFailed      = 1
	exitUsage       = 2
	ExitInterrupted = 130 // 128 + SIGINT, as shells report it
)

// StatusError ends the program with a status and without a message, because the command has
// printed its result.
type StatusError int

func (e StatusError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// Report prints the error of a command to w, with the lines of the Dockerfile that caused it,
// and returns the exit status of the process. For nil, it prints nothing.
func Report(w io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	if status, ok := errors.AsType[StatusError](err); ok {
		return int(status)
	}
	list, failed := errors.AsType[Failures](err)
	for _, one := range list {
		printError(w, one)
	}
	switch {
	case IsInterrupted(err):
		fmt.Fprintln(w, "Interrupted")
		return ExitInterrupted
	case failed:
		return ExitFailed
	}
	printError(w, err)

	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	// The Docker CLI returns status 125 for an unknown flag.
	if status, ok := errors.AsType[cli.StatusError](err); ok && status.StatusCode == 125 {
		return exitUsage
	}
	return ExitFailed
}

// IsInterrupted reports whether err means that the command was canceled. An error from the
// daemon has the gRPC status Canceled.
func IsInterrupted(err error) bool {
	return errors.Is(err, context.Canceled) || grpcerrors.Code(err) == codes.Canceled
}

func printError(w io.Writer, err error) {
	for _, msg := range policysession.DenyMessages(err) {
		if m := msg.GetMessage(); m != "" {
			fmt.Fprintf(w, "Policy: %s\n", m)
		}
	}
	for _, s := range solvererrdefs.Sources(err) {
		_ = s.Print(w) // a failed write to standard error cannot be reported
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

// Failures are the errors of the results that failed to build.
type Failures []*Failure

// Failure is the error of one or more results.
type Failure struct {
	Names []string
	Err   error
}

// Error returns the errors, one a line.
func (f Failures) Error() string {
	return errors.Join(f.Unwrap()...).Error()
}

// Unwrap returns the errors.
func (f Failures) Unwrap() []error {
	var errs []error
	for _, one := range f {
		errs = append(errs, one)
	}
	return errs
}

// Error returns the names of the results and their error.
func (f *Failure) Error() string {
	return strings.Join(f.Names, ", ") + ": " + f.Err.Error()
}

// Unwrap returns the error of the results.
func (f *Failure) Unwrap() error { return f.Err }
