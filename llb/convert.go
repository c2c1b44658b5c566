package llb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	buildkit "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// targetStageArg is the automatic arg that names the target (defaultArgs in
// BuildKit's dockerfile2llb/platform.go).
const targetStageArg = "TARGETSTAGE"

// epochArg is the build arg for the time of results. It can name a stage that has the
// time (BuildKit's dockerfile2llb/epoch.go).
const epochArg = "SOURCE_DATE_EPOCH"

// Converter converts the lowered files of one request.
type Converter struct {
	// Options are the options that all files share. The converter does not change
	// them.
	Options dockerfile2llb.ConvertOpt

	linting sync.Mutex
}

// Input is one lowered file.
type Input struct {
	Dockerfile []byte
	// Target is the stage to build, "" for the last one.
	Target string
	// Platform is the target platform. As in BuildKit, nil means the builder's, which
	// the base image can change.
	Platform *ocispecs.Platform
	// TargetStage is the value of the TARGETSTAGE arg if it differs from Target: a
	// stage that is built beside the target sees the target's name.
	TargetStage string
	// Part is set for a stage that is built beside the target. The names of its steps
	// have the platform.
	Part bool
	// Names are the names for the steps.
	Names Names
	// Files is set to use only the files of a base image: as for COPY --from=IMAGE in
	// BuildKit, its ONBUILD triggers do not run.
	Files bool
	// AllStages converts every stage of the file, instead of those that the target
	// reaches. Without it BuildKit looks up the named contexts of a stage too late if
	// only an ONBUILD trigger names it (resolveReachableStages in convert.go).
	AllStages bool
	// Warn is called with each violation that BuildKit's linter finds. It may be nil.
	Warn linter.LintWarnFunc
}

// Result is one converted file.
type Result struct {
	*dockerfile2llb.Result
	// Definition is the marshalled state of the target stage.
	Definition *pb.Definition

	names Names
}

// For returns the options for one lowered file. It clones the build args, because
// BuildKit's converter writes to them.
func (c *Converter) For(in Input) dockerfile2llb.ConvertOpt {
	opt := c.Options
	opt.BuildArgs = maps.Clone(opt.BuildArgs)
	opt.TargetPlatform = in.Platform
	opt.Target = in.Target
	opt.Warn = in.Warn
	opt.AllStages = in.AllStages
	if in.Part {
		opt.MultiPlatformRequested = true
	}
	if in.Files {
		opt.MetaResolver = withoutTriggers{opt.MetaResolver}
		// The arg can name a stage, and this file has none.
		delete(opt.BuildArgs, epochArg)
	}
	if _, given := opt.BuildArgs[targetStageArg]; in.TargetStage != "" && !given {
		if opt.BuildArgs == nil {
			opt.BuildArgs = map[string]string{}
		}
		opt.BuildArgs[targetStageArg] = in.TargetStage
	}
	return opt
}

// Convert converts one lowered file. Errors of the file carry a
// parser.LocationError.
func (c *Converter) Convert(ctx context.Context, in Input) (*Result, error) {
	opt := c.For(in)
	defer c.lockLinter(opt)()
	res, err := dockerfile2llb.Dockerfile2LLB(ctx, in.Dockerfile, opt)
	if err != nil {
		return nil, err
	}
	converted := &Result{Result: res, names: in.Names}
	converted.Definition, err = converted.Marshal(ctx, res.State)
	return converted, err
}

// Lint checks one lowered file with BuildKit's rules.
func (c *Converter) Lint(ctx context.Context, in Input) (*lint.LintResults, error) {
	opt := c.For(in)
	defer c.lockLinter(opt)()
	return dockerfile2llb.DockerfileLint(ctx, in.Dockerfile, opt)
}

// lockLinter locks the configuration of the linter, and returns the function that
// unlocks it. BuildKit's converter writes Warn into it (newRuleLinter in
// dockerfile2llb/convert.go), and the platforms of a request share it.
func (c *Converter) lockLinter(opt dockerfile2llb.ConvertOpt) (unlock func()) {
	if opt.Client == nil || opt.Client.LinterConfig == nil {
		return func() {}
	}
	c.linting.Lock()
	return c.linting.Unlock
}

// Given returns a state and its image config as the result of a conversion.
func Given(ctx context.Context, state buildkit.State, image *dockerspec.DockerOCIImage) (*Result, error) {
	given := &Result{Result: &dockerfile2llb.Result{State: state, Image: image}}
	var err error
	given.Definition, err = given.Marshal(ctx, state)
	return given, err
}

// Marshal returns the definition of a state that contains the result. It names the
// result's steps as Definition does.
func (r *Result) Marshal(ctx context.Context, state buildkit.State) (*pb.Definition, error) {
	marshalled, err := state.Marshal(ctx)
	if err != nil {
		return nil, fmt.Errorf("failed to marshal LLB definition: %w", err)
	}
	def := marshalled.ToPB()
	compactLocations(def.Source)
	r.names.apply(def)
	return def, nil
}

// Named returns a state that contains the result, with its steps named as in
// [Result.Marshal]. They keep these names in a state of another result.
func (r *Result) Named(state buildkit.State) buildkit.State {
	if state.Output() == nil { // scratch has no steps
		return state
	}
	return state.Async(func(ctx context.Context, state buildkit.State, _ *buildkit.Constraints) (buildkit.State, error) {
		def, err := r.Marshal(ctx, state)
		if err != nil {
			return state, err
		}
		op, err := buildkit.NewDefinitionOp(def)
		if err != nil {
			return state, err
		}
		return buildkit.NewState(op.Output()), nil
	})
}

// compactLocations removes duplicate locations of an operation. BuildKit adds the
// locations of a definition again each time that another definition includes it
// (sourceMapCollector in client/llb/sourcemap.go): without compactLocations they double
// with each stage that uses another stage for two platforms.
func compactLocations(source *pb.Source) {
	for _, locations := range source.GetLocations() {
		var once []*pb.Location
		for _, l := range locations.Locations {
			if !slices.ContainsFunc(once, l.EqualVT) {
				once = append(once, l)
			}
		}
		locations.Locations = once
	}
}
