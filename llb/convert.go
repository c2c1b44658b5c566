// Package llb turns plain Dockerfiles into LLB through BuildKit's dockerfile2llb.
// It is given the lowered bytes of a file and the source map of the file as the
// user wrote it: both have the same lines, so BuildKit's errors, warnings,
// progress and provenance point at the user's own.
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
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// targetStageArg is the automatic arg that names the target (defaultArgs in
// BuildKit's dockerfile2llb/platform.go).
const targetStageArg = "TARGETSTAGE"

// epochArg gives results their time, which is perhaps that of a stage
// (BuildKit's dockerfile2llb/epoch.go).
const epochArg = "SOURCE_DATE_EPOCH"

// Converter converts the lowered files of one request.
type Converter struct {
	// Options are what all platforms share. They are not changed.
	Options dockerfile2llb.ConvertOpt

	linting sync.Mutex
}

// Input is one lowered file.
type Input struct {
	Dockerfile []byte
	// Target is the stage to build, "" for the last one.
	Target string
	// Platform is what to build for; nil means the builder's own, and lets the
	// base image decide, as in BuildKit.
	Platform *ocispecs.Platform
	// TargetStage is the value of the TARGETSTAGE arg where it is not Target: a
	// stage that another one refers to is built as a part of that one's target.
	TargetStage string
	// Part is set for a stage that is built beside the target. Its steps are
	// named with their platform.
	Part bool
	// Names are used in those of the steps.
	Names Names
	// Files is set where only the files of a base image are wanted: its ONBUILD
	// triggers are not run, as BuildKit does not for COPY --from=IMAGE.
	Files bool
	// AllStages converts every stage of the file, not only what the target needs.
	// BuildKit looks for the named contexts of the others too late: those that only
	// an ONBUILD trigger names (resolveReachableStages in convert.go).
	AllStages bool
	// Warn is called for what BuildKit's linter finds. It may be nil.
	Warn linter.LintWarnFunc
}

// Result is one converted file.
type Result struct {
	*dockerfile2llb.Result
	// Definition is the marshalled state of the target stage.
	Definition *pb.Definition

	names Names
}

// For returns the options for one lowered file. BuildKit's converter writes to
// the build args, so they are cloned.
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
		// It can name a stage, which is not in this file.
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
	if opt.Client != nil && opt.Client.LinterConfig != nil {
		// BuildKit's converter writes Warn into this configuration, which the
		// platforms of a request share.
		c.linting.Lock()
		defer c.linting.Unlock()
	}
	res, err := dockerfile2llb.Dockerfile2LLB(ctx, in.Dockerfile, opt)
	if err != nil {
		return nil, err
	}
	converted := &Result{Result: res, names: in.Names}
	converted.Definition, err = converted.Marshal(ctx, res.State)
	return converted, err
}

// Given returns a state and its image's config as the result of a conversion.
func Given(ctx context.Context, state buildkit.State, image *dockerspec.DockerOCIImage) (*Result, error) {
	given := &Result{Result: &dockerfile2llb.Result{State: state, Image: image}}
	var err error
	given.Definition, err = given.Marshal(ctx, state)
	return given, err
}

// Marshal returns the definition of a state that the result is a part of. Its steps
// have the names that those of the result have.
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

// Named returns a state of which the result is a part with the steps named as in
// [Result.Marshal], also where a state of another result takes it in.
func (r *Result) Named(state buildkit.State) buildkit.State {
	if state.Output() == nil { // scratch, which has no steps
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

// compactLocations has each location of an operation there once. A definition that
// enters another one brings those of its operations, and BuildKit adds them up
// (sourceMapCollector in client/llb/sourcemap.go): they would double with each stage
// that is made from another one for two platforms.
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
