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

// disconnectError is the error of a build whose builder became unreachable.
type disconnectError struct {
	builder string // its name, and the node's name if there are several nodes
	node    builder.Node
	reason  error  // why the node is unreachable
	log     string // the path of the private daemon's log, else ""
	err     error  // the build's own error
}

// Error names the builder, its address and the reason.
func (e *disconnectError) Error() string {
	text := fmt.Sprintf("lost the connection to %s at %s: %v", e.builder, e.node.Endpoint, e.reason)
	if e.log != "" {
		text += "; its log is " + e.log
	}
	return text
}

// Unwrap returns the build's own error.
func (e *disconnectError) Unwrap() error { return e.err }

// Explain returns the error of a build on the builder. If that is a connection
// error, which names no builder, Explain looks for an unreachable node and returns
// an error that names the node and the reason.
func (b *Builder) Explain(ctx context.Context, err error) error {
	if ctx.Err() != nil || !isConnectionError(err) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	for _, n := range b.Nodes {
		if reason := checkRunning(ctx, n, len(b.Nodes) > 1); reason != nil {
			e := &disconnectError{builder: fmt.Sprintf("builder %q", b.Name), node: n, reason: reason, err: err}
			if len(b.Nodes) > 1 {
				e.builder = fmt.Sprintf("node %q of %s", n.Name, e.builder)
			}
			if b.lease != nil {
				e.log = b.lease.Log
			}
			return e
		}
	}
	return err
}

// isConnectionError reports whether err comes from the connection to the daemon. A
// deadline that the daemon itself missed, such as one for a registry, does not.
func isConnectionError(err error) bool {
	return grpcerrors.Code(err) == codes.Unavailable || errors.Is(err, context.DeadlineExceeded)
}

// checkRunning returns an error if a node is unreachable or does not run. If the
// builder has several nodes, an inactive one is no error: the build may not have
// needed it.
func checkRunning(ctx context.Context, n builder.Node, several bool) error {
	if err := probe(ctx, n); err != nil {
		return err
	}
	info, err := n.Driver.Info(ctx)
	if err == nil && info.Status != driver.Running && (info.Status != driver.Inactive || !several) {
		err = fmt.Errorf("it is %s", info.Status)
	}
	return err
}
