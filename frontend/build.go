package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/stagebuild/stagebuild/frontend/gateway"
	"github.com/stagebuild/stagebuild/frontend/plan"
)

// Build is the frontend: a gateway build function. It forwards a request for another
// frontend, such as one that the file names with "# syntax=". Errors in the Dockerfile
// carry BuildKit's source info (solver/errdefs), so that clients print the user's lines.
func Build(ctx context.Context, c client.Client) (*client.Result, error) {
	outcome, err := prepare(ctx, gateway.NewCache(c), &sentWarnings{})
	if err != nil {
		return nil, err
	}
	return outcome.solve(ctx, c)
}

// prepare runs all phases of a request that need no build by the daemon: those before
// solve. It reads through c, and skips the warnings that the client has already got.
func prepare(ctx context.Context, c client.Client, sent *sentWarnings) (outcome, error) {
	req, err := load(ctx, c)
	if err != nil {
		return nil, err
	}
	if req == nil {
		return otherFrontend{}, nil
	}
	outcome, err := req.prepare(ctx, sent)
	if err != nil {
		return nil, withSources(err, req.source.SourceMap)
	}
	return outcome, nil
}

// prepare decides, lowers and converts the Dockerfile of a request, or serves its
// subrequest.
func (req *request) prepare(ctx context.Context, sent *sentWarnings) (outcome, error) {
	if res, ok, err := serveSubrequest(ctx, req, sent); ok || err != nil {
		return subrequestResult{res}, err
	}
	decision, err := decide(ctx, req, plan.Resolve, req.targetPlatforms())
	if err != nil {
		return nil, err
	}
	files := lower(req, decision)
	return convert(ctx, req, decision, files, newWarner(req, decision, sent))
}
