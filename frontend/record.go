package frontend

import (
	"context"
	"fmt"
	"sync"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"
)

// record is a gateway client that takes note of what a member reads through the
// build that it shares. The daemon derives the provenance of a result from what
// its own build has read (solver/llbsolver/provenance.go), so the member reads it
// there once more, which the daemon has at hand by then.
type record struct {
	client.Client
	mu    sync.Mutex
	calls []func(context.Context, client.Client) error
}

func (r *record) add(call func(context.Context, client.Client) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call)
}

// replay reads through c all that was read, each thing once. It is an error that an
// image is another one by now.
func (r *record) replay(ctx context.Context, c client.Client) error {
	own := newReads(c)
	eg, ctx := errgroup.WithContext(ctx)
	for _, call := range r.calls {
		eg.Go(func() error { return call(ctx, own) })
	}
	return eg.Wait()
}

// ResolveImageConfig implements llb.ImageMetaResolver.
func (r *record) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	resolved, dgst, config, err := r.Client.ResolveImageConfig(ctx, ref, opt)
	if err == nil {
		r.add(func(ctx context.Context, c client.Client) error {
			_, now, _, err := c.ResolveImageConfig(ctx, ref, opt)
			if err != nil {
				return err
			}
			return unchanged(ref, dgst, now)
		})
	}
	return resolved, dgst, config, err
}

// ResolveSourceMetadata implements client.Client. Of sources that are no images,
// provenance says nothing until their files are read.
func (r *record) ResolveSourceMetadata(ctx context.Context, op *pb.SourceOp, opt sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	res, err := r.Client.ResolveSourceMetadata(ctx, op, opt)
	if err == nil && res.Image != nil {
		r.add(func(ctx context.Context, c client.Client) error {
			now, err := c.ResolveSourceMetadata(ctx, op, opt)
			if err != nil {
				return err
			}
			return unchanged(op.Identifier, res.Image.Digest, now.Image.Digest)
		})
	}
	return res, err
}

// Solve implements client.Client.
func (r *record) Solve(ctx context.Context, req client.SolveRequest) (*client.Result, error) {
	res, err := r.Client.Solve(ctx, req)
	if err == nil {
		req.Evaluate = true // as reading a file of it does
		r.add(func(ctx context.Context, c client.Client) error {
			_, err := c.Solve(ctx, req)
			return err
		})
	}
	return res, err
}

// unchanged returns an error when an image is not what it was.
func unchanged(ref string, was, now digest.Digest) error {
	if was != now {
		return fmt.Errorf("%s was %s and is %s", ref, was, now)
	}
	return nil
}
