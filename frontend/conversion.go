package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/attestations/sbom"
	"github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/frontend/gateway"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/llb"
	"golang.org/x/sync/errgroup"
)

// conversion is a request for which everything is decided and read: what is left
// is for the daemon to do.
type conversion struct {
	*request
	// elsewhere is set for a request that another frontend has to serve.
	elsewhere bool
	// answer is the result of a request that asks about the file.
	answer *client.Result
	// targets are the results, by target platform.
	targets []*llb.Result
	// needs are what has to be built beside them.
	needs []converted
	// scanner is nil when no SBOM is asked for.
	scanner sbom.Scanner
	// locals is nil for a request that shares its local sources with no other.
	locals *llb.Locals
}

// converted is a stage that is needed.
type converted struct {
	*llb.Result
	stage string
}

// convert reads the file of a request through c, decides about it and converts
// it. The client is warned of what it has not been warned of yet.
func convert(ctx context.Context, c client.Client, warned *warnings) (*conversion, error) {
	in := gateway.NewInputs(c)
	bc, err := dockerui.NewClient(in)
	if err != nil {
		return nil, err
	}
	opts := bc.BuildOpts().Opts
	if forward, err := checkCaps(opts[gateway.OptionCaps]); forward || err != nil {
		return &conversion{elsewhere: true}, err
	}
	src, err := bc.ReadEntrypoint(ctx, "Dockerfile")
	if err != nil {
		return nil, err
	}
	if anotherFrontend(opts, src.Data) {
		return &conversion{elsewhere: true}, nil
	}
	conv, err := newRequest(bc, in, src, warned).convert(ctx)
	if err != nil {
		return nil, withSources(err, src.SourceMap)
	}
	return conv, nil
}

func (r *request) convert(ctx context.Context) (*conversion, error) {
	// What is wrong with the file, lowering says, with what is wrong for a platform.
	file, _ := syntax.Parse(source.NewFile(r.source.Filename, r.source.Data))
	if answer, ok, err := r.subrequest(ctx, file); ok || err != nil {
		return &conversion{request: r, answer: answer}, err
	}
	w, err := r.lower(ctx, file, r.targetPlatforms())
	if err != nil {
		return nil, err
	}
	if err := r.warnOf(ctx, file, w.warnings()); err != nil {
		return nil, err
	}
	if err := r.failLater(file, w); err != nil {
		return nil, err
	}
	scanner, err := r.newScanner(ctx)
	if err != nil {
		return nil, err
	}
	conv := &conversion{
		request: r,
		scanner: scanner,
		targets: make([]*llb.Result, len(w.targets)),
		needs:   make([]converted, len(w.needs)),
	}
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(maxConversions)
	for i, in := range w.targets {
		eg.Go(func() error {
			res, err := r.converter.Convert(ctx, in)
			if err != nil {
				return err
			}
			w.addScans(i, res)
			conv.targets[i] = res
			return nil
		})
	}
	for i, n := range w.needs {
		eg.Go(func() error {
			res, err := r.converter.Convert(ctx, n.Input)
			if err != nil {
				return &needError{stage: n.stage, err: err}
			}
			conv.needs[i] = converted{res, n.stage}
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	return conv, w.violations.err()
}

// solve has the daemon build what was converted, through c.
func (conv *conversion) solve(ctx context.Context, c client.Client) (*client.Result, error) {
	if conv.elsewhere {
		return builder.Build(ctx, c)
	}
	if conv.answer != nil {
		return conv.answer, nil
	}
	res, err := conv.build(ctx, c)
	if err != nil {
		return nil, withSources(err, conv.source.SourceMap)
	}
	return res, nil
}

// build solves every target, and every needed stage beside them: no file, layer
// or config of one flows into the result, only that it was built.
func (conv *conversion) build(ctx context.Context, c client.Client) (*client.Result, error) {
	s := &solver{Client: c, cacheImports: conv.CacheImports, locals: conv.locals}
	scan := &scan{solver: s, scanner: conv.scanner, targets: map[string]*llb.Result{}}
	eg, solving := errgroup.WithContext(ctx)
	for _, n := range conv.needs {
		eg.Go(func() error {
			if _, err := s.solve(solving, n.Definition, true); err != nil {
				return &needError{stage: n.stage, err: err}
			}
			return nil
		})
	}
	var rb *dockerui.ResultBuilder
	eg.Go(func() (err error) {
		rb, err = conv.Client.Build(solving, func(ctx context.Context, platform *ocispecs.Platform, i int) (*dockerui.BuildResult, error) {
			// A result is built when it is exported, or now when stages are
			// built beside it.
			res := conv.targets[i]
			ref, err := s.solve(ctx, res.Definition, len(conv.needs) > 0)
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
