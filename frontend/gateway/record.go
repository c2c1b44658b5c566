package gateway

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

// Record is a gateway client that records reads, so that [Record.Replay] can repeat
// them in another build. The daemon derives the provenance of a result from the reads
// of its own build (solver/llbsolver/provenance.go): a result that was converted with
// the reads of another build repeats them, which costs little since the daemon has
// cached them.
type Record struct {
	client.Client
	mu    sync.Mutex
	calls []func(context.Context, client.Client) error
}

// NewRecord returns a client that records the reads through c.
func NewRecord(c client.Client) *Record {
	return &Record{Client: c}
}

func (r *Record) add(call func(context.Context, client.Client) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call)
}

// Replay repeats each recorded read once through c. It returns an error if a read fails
// or an image has another digest now.
func (r *Record) Replay(ctx context.Context, c client.Client) error {
	cache := NewCache(c)
	eg, ctx := errgroup.WithContext(ctx)
	for _, call := range r.calls {
		eg.Go(func() error { return call(ctx, cache) })
	}
	return eg.Wait()
}

// ResolveImageConfig implements llb.ImageMetaResolver.
func (r *Record) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
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

// ResolveSourceMetadata implements client.Client. Only images are recorded: provenance
// lists another source when its files are read.
func (r *Record) ResolveSourceMetadata(ctx context.Context, op *pb.SourceOp, opt sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
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
func (r *Record) Solve(ctx context.Context, req client.SolveRequest) (*client.Result, error) {
	res, err := r.Client.Solve(ctx, req)
	if err == nil {
		req.Evaluate = true // reading a file of the result evaluates it too
		r.add(func(ctx context.Context, c client.Client) error {
			_, err := c.Solve(ctx, req)
			return err
		})
	}
	return res, err
}

// unchanged returns an error if the digest of an image has changed.
func unchanged(ref string, was, now digest.Digest) error {
	if was != now {
		return fmt.Errorf("the digest of %s changed from %s to %s", ref, was, now)
	}
	return nil
}
