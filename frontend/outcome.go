package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/stagebuild/stagebuild/llb"
)

// outcome is the result of all phases before solve: [otherFrontend],
// [subrequestResult] or [*build].
type outcome interface {
	// solve returns the result of the request. It has the daemon build the rest
	// through c.
	solve(ctx context.Context, c client.Client) (*client.Result, error)
	// shareLocals adds the local sources of the outcome to locals. From then on, solve
	// uses the sources in locals, which several outcomes share.
	shareLocals(locals *llb.Locals) error
}

// otherFrontend is the outcome of a request for another frontend.
type otherFrontend struct{}

// solve has BuildKit's frontend forward the request, as it would have done itself.
func (otherFrontend) solve(ctx context.Context, c client.Client) (*client.Result, error) {
	return builder.Build(ctx, c)
}

func (otherFrontend) shareLocals(*llb.Locals) error { return nil }

// subrequestResult is the outcome of a subrequest.
type subrequestResult struct{ *client.Result }

func (r subrequestResult) solve(context.Context, client.Client) (*client.Result, error) {
	return r.Result, nil
}

func (subrequestResult) shareLocals(*llb.Locals) error { return nil }
