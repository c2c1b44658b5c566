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
			ResolveMode: r.BuildOpts().Opts[gateway.OptionResolveMode],
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

// scanned is a stage to scan beside a result.
type scanned struct {
	name        string
	state       buildkit.State
	ignoreCache bool
}

// scanStageArg asks for the scan of a stage that a result is made from: with a
// boolean, or with a list of stages (sbomScanStage in BuildKit's
// dockerfile2llb/convert.go).
const scanStageArg = "BUILDKIT_SBOM_SCAN_STAGE"

// contextExtra is the build context among what is scanned beside a result.
const contextExtra = "context"

// scannedOf returns which stages an input asks to scan: its own, and those that
// this is made from. BuildKit looks for them in one conversion, and the input has
// one of its own.
func scannedOf(in *plan.Input, res *llb.Result) []scanned {
	if in.Stage == nil {
		return nil
	}
	var list []scanned
	if value, ok := in.Stage.Arg(scanStageArg); ok && enabledFor(in.Stage.Stage.Name, value) {
		list = append(list, scanned{in.Stage.Stage.Name, res.Named(res.SBOM.Core), res.IsIgnoreCache})
	}
	for name, state := range res.SBOM.Extras {
		if name != contextExtra { // which is asked for by the target only
			list = append(list, scanned{name, res.Named(state), res.IsIgnoreCache})
		}
	}
	return list
}

// enabledFor is isEnabledForStage in BuildKit's dockerfile2llb/convert.go.
func enabledFor(stage, value string) bool {
	if enabled, err := strconv.ParseBool(value); err == nil {
		return enabled
	}
	return slices.Contains(strings.Split(value, ","), stage)
}

// addScans adds to what is scanned with a target the stages that it is made from as
// they are for platforms of their own. The names of those that are not for the
// target's tell the platform.
func (w *work) addScans(target int, res *llb.Result) {
	if w.set == nil {
		return
	}
	t := w.set.Targets[target]
	for _, in := range t.Choice.Inputs() {
		suffix := ""
		if platformID(&in.Platform) != platformID(&t.Platform) {
			suffix = "@" + guard.PlatformName(in.Platform)
		}
		for _, extra := range w.scanned[in] {
			name := extra.name + suffix
			if _, there := res.SBOM.Extras[name]; !there {
				res.SBOM.Extras[name] = extra.state
				res.IsIgnoreCache = res.IsIgnoreCache || extra.ignoreCache
			}
		}
	}
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
			return s.solve(ctx, target, st)
		})
		if err != nil {
			return err
		}
		rb.AddAttestation(id, *solved)
		return nil
	})
}

// solve has the daemon scan a target. As in BuildKit, no cache is imported for that.
func (s *scan) solve(ctx context.Context, target *llb.Result, st *buildkit.State) (client.Reference, error) {
	def, err := target.Marshal(ctx, *st)
	if err != nil {
		return nil, err
	}
	uncached := &solver{Client: s.solver.Client, locals: s.solver.locals}
	return uncached.solve(ctx, def, false)
}
