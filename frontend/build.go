// Package frontend serves one BuildKit gateway request for a staged Dockerfile:
// it reads the file, decides and lowers it for each target platform, converts
// the lowered files to LLB and solves them. It is a strict superset of BuildKit's
// frontend/dockerfile/builder, whose flow it follows and whose parts it calls.
package frontend

import (
	"context"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/llb"
	"golang.org/x/sync/errgroup"
)

// Build is the frontend: a gateway build function. A file whose "# syntax=" names
// another frontend is handed to that. Errors of the Dockerfile carry BuildKit's
// source info (solver/errdefs), so that clients print the user's lines.
func Build(ctx context.Context, c client.Client) (*client.Result, error) {
	in := newInputs(newResolveCache(c))
	c = in
	bc, err := dockerui.NewClient(c)
	if err != nil {
		return nil, err
	}
	opts := bc.BuildOpts().Opts
	if forward, err := checkCaps(opts[keyCaps]); forward {
		return builder.Build(ctx, c)
	} else if err != nil {
		return nil, err
	}
	src, err := bc.ReadEntrypoint(ctx, "Dockerfile")
	if err != nil {
		return nil, err
	}
	if anotherFrontend(opts, src.Data) {
		return builder.Build(ctx, c)
	}
	r := newRequest(bc, in, src)
	res, err := r.serve(ctx)
	if err != nil {
		return nil, withSources(err, src.SourceMap)
	}
	return res, nil
}

// request is one request to the frontend.
type request struct {
	*dockerui.Client
	inputs    *inputs // the gateway
	source    *dockerui.Source
	converter *llb.Converter
	warnings  warnings
}

func newRequest(bc *dockerui.Client, c *inputs, src *dockerui.Source) *request {
	r := &request{Client: bc, inputs: c, source: src}
	r.converter = &llb.Converter{Options: dockerfile2llb.ConvertOpt{
		Config:       bc.Config,
		Client:       bc,
		SourceMap:    src.SourceMap,
		MetaResolver: c,
	}}
	return r
}

func (r *request) serve(ctx context.Context) (*client.Result, error) {
	file, err := syntax.Parse(source.NewFile(r.source.Filename, r.source.Data))
	if err != nil {
		return r.refuse(ctx, err)
	}
	if res, ok, err := r.subrequest(ctx, file); ok || err != nil {
		return res, err
	}
	w, err := r.lower(ctx, file, r.targetPlatforms())
	if err != nil {
		return nil, err
	}
	scan, err := r.newScan(ctx)
	if err != nil {
		return nil, err
	}
	rb, err := r.build(ctx, w, scan)
	if err != nil {
		return nil, err
	}
	if err := scan.run(ctx, rb); err != nil {
		return nil, err
	}
	return rb.Finalize()
}

// build solves every target, and every needed stage beside them: no file, layer
// or metadata of one flows into the result, only that it was built.
func (r *request) build(ctx context.Context, w *work, scan *scan) (*dockerui.ResultBuilder, error) {
	eg, ctx := errgroup.WithContext(ctx)
	for _, n := range w.needs {
		eg.Go(func() error {
			if _, _, err := r.solve(ctx, n.Input, true); err != nil {
				return &needError{stage: n.stage, err: err}
			}
			return nil
		})
	}
	var rb *dockerui.ResultBuilder
	eg.Go(func() (err error) {
		rb, err = r.Client.Build(ctx, func(ctx context.Context, platform *ocispecs.Platform, i int) (*dockerui.BuildResult, error) {
			// A result is built when it is exported, or now when stages are
			// built beside it.
			res, ref, err := r.solve(ctx, w.targets[i], len(w.needs) > 0)
			if err != nil {
				return nil, err
			}
			scan.add(platform, res)
			return &dockerui.BuildResult{Reference: ref, Image: res.Image, BaseImage: res.BaseImage, Epoch: res.Epoch}, nil
		})
		return err
	})
	err := eg.Wait()
	return rb, err
}

// solve converts a lowered file and has the daemon solve it.
func (r *request) solve(ctx context.Context, in llb.Input, evaluate bool) (*llb.Result, client.Reference, error) {
	res, err := r.converter.Convert(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	solved, err := r.inputs.Solve(ctx, client.SolveRequest{
		Definition:   res.Definition,
		CacheImports: r.CacheImports,
		Evaluate:     evaluate,
	})
	if err != nil {
		return nil, nil, err
	}
	ref, err := solved.SingleRef()
	return res, ref, err
}

// targetPlatforms returns the platforms asked for, or nil alone for the builder's.
func (r *request) targetPlatforms() []*ocispecs.Platform {
	if len(r.TargetPlatforms) == 0 {
		return []*ocispecs.Platform{nil}
	}
	return pointers(r.TargetPlatforms)
}

func pointers(platforms []ocispecs.Platform) []*ocispecs.Platform {
	list := make([]*ocispecs.Platform, len(platforms))
	for i := range platforms {
		list[i] = &platforms[i]
	}
	return list
}

// platformID is the key under which dockerui keeps the result of a platform.
func platformID(p *ocispecs.Platform) string {
	if p == nil {
		return platforms.FormatAll(platforms.Normalize(platforms.DefaultSpec()))
	}
	return platforms.FormatAll(platforms.Normalize(*p))
}
