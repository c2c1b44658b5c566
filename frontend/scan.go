package frontend

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	buildkit "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/attestations/sbom"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/result"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/frontend/gateway"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/llb"
)

// scan makes the SBOMs of a request.
type scan struct {
	solver  *solver
	scanner sbom.Scanner // nil if no SBOM is requested

	mu      sync.Mutex
	targets map[string]*llb.Result // by platform ID
}

// newScanner returns the scanner of a request, or nil if no SBOM is requested.
func newScanner(ctx context.Context, req *request) (sbom.Scanner, error) {
	if req.SBOM == nil {
		return nil, nil
	}
	platform := req.BuildPlatforms[0]
	return sbom.CreateSBOMScanner(ctx, req.inputs, req.SBOM.Generator, platform, sourceresolver.Opt{
		ImageOpt: &sourceresolver.ResolveImageOpt{
			ResolveMode: req.BuildOpts().Opts[gateway.OptionResolveMode],
			Platform:    &platform,
		},
	}, req.SBOM.Parameters)
}

// add adds the target of a platform to the scan.
func (s *scan) add(platform *ocispecs.Platform, res *llb.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.targets[platformID(platform)] = res
}

// scannedStage is a stage to scan beside a target.
type scannedStage struct {
	name        string
	state       buildkit.State
	ignoreCache bool
}

// scanStageArg is the build arg that requests the scan of stages beside the target: a
// boolean, or a list of stages (sbomScanStage in BuildKit's dockerfile2llb/convert.go).
const scanStageArg = "BUILDKIT_SBOM_SCAN_STAGE"

// contextExtra is the name of the build context among the scans beside a target.
const contextExtra = "context"

// scannedStages returns the stages to scan of a converted cross-platform input: its own
// stage, and those that it is made from. BuildKit only finds those that are converted
// together with the target.
func scannedStages(in *plan.Input, res *llb.Result) []scannedStage {
	if in.Stage == nil {
		return nil
	}
	var list []scannedStage
	if value, ok := in.Stage.Arg(scanStageArg); ok && isScanned(in.Stage.Stage.Name, value) {
		list = append(list, scannedStage{in.Stage.Stage.Name, res.Named(res.SBOM.Core), res.IsIgnoreCache})
	}
	for name, state := range res.SBOM.Extras {
		if name != contextExtra { // only the target requests it
			list = append(list, scannedStage{name, res.Named(state), res.IsIgnoreCache})
		}
	}
	return list
}

// isScanned is isEnabledForStage in BuildKit's dockerfile2llb/convert.go.
func isScanned(stage, value string) bool {
	if enabled, err := strconv.ParseBool(value); err == nil {
		return enabled
	}
	return slices.Contains(strings.Split(value, ","), stage)
}

// addInputScans adds the stages to scan of a target's cross-platform inputs to the scans
// of the target. Their names have the platform if it is not the target's.
func addInputScans(res *llb.Result, t *plan.Target, scans map[*plan.Input][]scannedStage) {
	for _, in := range t.Choice.Inputs() {
		suffix := ""
		if platformID(&in.Platform) != platformID(&t.Platform) {
			suffix = "@" + guard.PlatformName(in.Platform)
		}
		for _, extra := range scans[in] {
			name := extra.name + suffix
			if _, ok := res.SBOM.Extras[name]; !ok {
				res.SBOM.Extras[name] = extra.state
				res.IsIgnoreCache = res.IsIgnoreCache || extra.ignoreCache
			}
		}
	}
}

// run scans the target of every platform and attaches the attestations to the result.
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
			return s.solve(ctx, target, st)
		})
		if err != nil {
			return err
		}
		rb.AddAttestation(id, *solved)
		return nil
	})
}

// solve has the daemon scan a target. Like BuildKit, it imports no cache for this.
func (s *scan) solve(ctx context.Context, target *llb.Result, st *buildkit.State) (client.Reference, error) {
	def, err := target.Marshal(ctx, *st)
	if err != nil {
		return nil, err
	}
	uncached := &solver{Client: s.solver.Client, locals: s.solver.locals}
	return uncached.solve(ctx, def, false)
}
