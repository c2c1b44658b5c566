package connect

import (
	"context"
	"errors"
	"fmt"

	"github.com/docker/buildx/builder"
	"github.com/docker/buildx/driver"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc/codes"
)

// lostError is the failure of a build whose builder went away.
type lostError struct {
	builder string // its name, and that of the node where it has several
	node    builder.Node
	reason  error  // why the node cannot be reached
	log     string // what a private daemon said, "" for another
	err     error  // what the build failed with
}

// Error names the builder, and where it was.
func (e *lostError) Error() string {
	text := fmt.Sprintf("lost the connection to %s at %s: %v", e.builder, e.node.Endpoint, e.reason)
	if e.log != "" {
		text += "; its log is " + e.log
	}
	return text
}

// Unwrap returns what the build failed with.
func (e *lostError) Unwrap() error { return e.err }

// Explain returns the error of a build on the builder. Where a connection broke or
// none was made in time, which is all that the error says then, it looks for the
// node that is gone.
func (b *Builder) Explain(ctx context.Context, err error) error {
	if ctx.Err() != nil || !disconnected(err) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	for _, n := range b.Nodes {
		if reason := gone(ctx, n, len(b.Nodes) > 1); reason != nil {
			lost := &lostError{builder: fmt.Sprintf("builder %q", b.Name), node: n, reason: reason, err: err}
			if len(b.Nodes) > 1 {
				lost.builder = fmt.Sprintf("node %q of %s", n.Name, lost.builder)
			}
			if b.lease != nil {
				lost.log = b.lease.Log
			}
			return lost
		}
	}
	return err
}

// disconnected reports whether an error is that of a connection. A deadline that
// the daemon did not keep, towards a registry for example, is none.
func disconnected(err error) bool {
	return grpcerrors.Code(err) == codes.Unavailable || errors.Is(err, context.DeadlineExceeded)
}

// gone says why a node cannot be built on any more, or returns nil if it can. One
// of several that does not exist was perhaps never needed, and is not gone.
func gone(ctx context.Context, n builder.Node, several bool) error {
	if err := probe(ctx, n); err != nil {
		return err
	}
	info, err := n.Driver.Info(ctx)
	if err == nil && info.Status != driver.Running && (info.Status != driver.Inactive || !several) {
		err = fmt.Errorf("it is %s", info.Status)
	}
	return err
}
