package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/attestations/sbom"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/stagebuild/stagebuild/llb"
)

// build is the outcome of a request to build: its LLB.
type build struct {
	*request
	// targets has one result for each target platform.
	targets []*llb.Result
	// needs are the needed stages, which are built beside the targets.
	needs []neededResult
	// scanner is nil if no SBOM is requested.
	scanner sbom.Scanner
	// locals is nil unless the build shares its local sources with others.
	locals *llb.Locals
}

// neededResult is the LLB of a needed stage.
type neededResult struct {
	*llb.Result
	stage string // its quoted name for errors
}

// solve has the daemon build the targets and the needed stages.
func (b *build) solve(ctx context.Context, c client.Client) (*client.Result, error) {
	res, err := b.solveAll(ctx, c)
	if err != nil {
		return nil, withSources(err, b.source.SourceMap)
	}
	return res, nil
}

// solveAll solves every target and, at the same time, every needed stage. The result
// contains nothing of a needed stage, which must only build successfully.
func (b *build) solveAll(ctx context.Context, c client.Client) (*client.Result, error) {
	s := &solver{Client: c, cacheImports: b.CacheImports, locals: b.locals}
	scan := &scan{solver: s, scanner: b.scanner, targets: map[string]*llb.Result{}}
	eg, solving := errgroup.WithContext(ctx)
	for _, n := range b.needs {
		eg.Go(func() error {
			if _, err := s.solve(solving, n.Definition, true); err != nil {
				return &neededStageError{stage: n.stage, err: err}
			}
			return nil
		})
	}
	var rb *dockerui.ResultBuilder
	eg.Go(func() (err error) {
		rb, err = b.Client.Build(solving, func(ctx context.Context, platform *ocispecs.Platform, i int) (*dockerui.BuildResult, error) {
			// The export evaluates a target. With needed stages it is evaluated now,
			// so that all are built at the same time.
			res := b.targets[i]
			ref, err := s.solve(ctx, res.Definition, len(b.needs) > 0)
			if err != nil {
				return nil, err
			}
			scan.add(platform, res)
			return &dockerui.BuildResult{Reference: ref, Image: res.Image, BaseImage: res.BaseImage, Epoch: res.Epoch}, nil
		})
		return err
	})
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	if err := scan.run(ctx, rb); err != nil {
		return nil, err
	}
	return rb.Finalize()
}

// shareLocals implements outcome.
func (b *build) shareLocals(locals *llb.Locals) error {
	b.locals = locals
	for _, res := range b.targets {
		if err := locals.Add(res.Definition); err != nil {
			return err
		}
	}
	for _, n := range b.needs {
		if err := locals.Add(n.Definition); err != nil {
			return err
		}
	}
	return nil
}

// solver has the daemon solve definitions.
type solver struct {
	client.Client
	cacheImports []client.CacheOptionsEntry
	locals       *llb.Locals
}

func (s *solver) solve(ctx context.Context, def *pb.Definition, evaluate bool) (client.Reference, error) {
	def, err := s.locals.Apply(def)
	if err != nil {
		return nil, err
	}
	res, err := s.Solve(ctx, client.SolveRequest{
		Definition:   def,
		CacheImports: s.cacheImports,
		Evaluate:     evaluate,
	})
	if err != nil {
		return nil, err
	}
	return res.SingleRef()
}
