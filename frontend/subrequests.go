package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/gateway/client"

	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/subrequest"
)

// serveSubrequest returns the result of a subrequest. It reports false for a build.
func serveSubrequest(ctx context.Context, req *request, sent *sentWarnings) (*client.Result, bool, error) {
	return subrequest.Serve(ctx, subrequest.Request{
		Client:    req.Client,
		File:      req.file,
		SourceMap: req.source.SourceMap,
		Env:       req.env,
		Requested: req.requested,
		Converter: req.converter,
	}, phases{req, sent})
}

// phases lowers the Dockerfile of a request for its subrequest.
type phases struct {
	req  *request
	sent *sentWarnings
}

// Lower implements [subrequest.Lowerer]: it runs the phases of a build up to lower, and
// converts the cross-platform inputs.
func (p phases) Lower(ctx context.Context, scope subrequest.Scope) (*subrequest.Lowered, error) {
	resolve := plan.Resolve
	if scope.Possible {
		resolve = plan.ResolvePossible
	}
	d, err := decide(ctx, p.req, resolve, scope.Platforms)
	if err != nil {
		return nil, err
	}
	if scope.AllInputs && d.set != nil {
		d.set = d.set.WithAllInputs()
	}
	files := lower(p.req, d)
	w := newWarner(p.req, d, p.sent)
	if _, err := supplyInputs(ctx, p.req, files.inputs, w); err != nil {
		return nil, err
	}
	for i := range files.targets {
		if i == 0 || d.set != nil {
			files.targets[i].Warn = w.forPlatform(ctx)
		}
	}
	return &subrequest.Lowered{Set: d.set, Files: files.targets}, nil
}
