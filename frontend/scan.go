package frontend

import (
	"context"
	"fmt"
	"sync"

	buildkit "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/attestations/sbom"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/result"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagebuild/stagebuild/llb"
)

// scan makes the SBOMs that a request asks for.
type scan struct {
	solver  *solver
	scanner sbom.Scanner // nil when none is asked for

	mu      sync.Mutex
	targets map[string]*llb.Result // by platform ID
}

// newScanner returns what scans results, or nil when no SBOM is asked for.
func (r *request) newScanner(ctx context.Context) (sbom.Scanner, error) {
	if r.SBOM == nil {
		return nil, nil
	}
	platform := r.BuildPlatforms[0]
	return sbom.CreateSBOMScanner(ctx, r.inputs, r.SBOM.Generator, platform, sourceresolver.Opt{
		ImageOpt: &sourceresolver.ResolveImageOpt{
			ResolveMode: r.BuildOpts().Opts[keyResolveMode],
			Platform:    &platform,
		},
	}, r.SBOM.Parameters)
}

// add remembers what to scan for a platform.
func (s *scan) add(platform *ocispecs.Platform, res *llb.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.targets[platformID(platform)] = res
}

// run scans every platform and attaches the attestations to the result.
func (s *scan) run(ctx context.Context, rb *dockerui.ResultBuilder) error {
	if s.scanner == nil {
		return nil
	}
	return rb.EachPlatform(ctx, func(ctx context.Context, id string, _ ocispecs.Platform) error {
		target, ok := s.targets[id]
		if !ok {
			return fmt.Errorf("no scan target for %s", id)
		}
		var opts []buildkit.ConstraintsOpt
		if target.IsIgnoreCache {
			opts = append(opts, buildkit.IgnoreCache)
		}
		attestation, err := s.scanner(ctx, id, target.SBOM.Core, target.SBOM.Extras, opts...)
		if err != nil {
			return err
		}
		solved, err := result.ConvertAttestation(&attestation, func(st *buildkit.State) (client.Reference, error) {
			return s.solve(ctx, st)
		})
		if err != nil {
			return err
		}
		rb.AddAttestation(id, *solved)
		return nil
	})
}

func (s *scan) solve(ctx context.Context, st *buildkit.State) (client.Reference, error) {
	def, err := st.Marshal(ctx)
	if err != nil {
		return nil, err
	}
	return s.solver.solve(ctx, def.ToPB(), false)
}
