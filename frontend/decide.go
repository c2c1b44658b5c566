package frontend

import (
	"context"
	"encoding/json"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerui"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// decision has the plans of a Dockerfile for the platforms of a request.
type decision struct {
	// platforms are the target platforms, nil for the builder's.
	platforms []*ocispecs.Platform
	// set has a target for each of the platforms. It is nil for a plain Dockerfile.
	set *plan.Set
}

// resolveFunc is [plan.Resolve] or [plan.ResolvePossible].
type resolveFunc func(*syntax.File, plan.Env, plan.Request) (*plan.Set, error)

// decide plans a staged Dockerfile for each platform. The errors of all platforms come
// back together, as a source.List.
//
// The ONBUILD triggers of base images can name stages of the file. So decide plans again
// with the triggers of the base images, until the plans reach no more images with
// triggers.
func decide(ctx context.Context, req *request, resolve resolveFunc, targets []*ocispecs.Platform) (*decision, error) {
	if !req.file.IsStaged {
		return &decision{platforms: targets}, nil
	}
	r := plan.Request{Stage: req.Target, Platforms: make([]ocispecs.Platform, len(targets)), Triggers: plan.Triggers{}}
	for i, platform := range targets {
		r.Platforms[i] = req.env.Build
		if platform != nil {
			r.Platforms[i] = *platform
		}
	}
	for {
		set, err := resolve(req.file, req.env, r)
		if err != nil {
			return nil, err
		}
		if !fetchTriggers(ctx, req, set.UnknownBases, r.Triggers) {
			return newDecision(set, targets), nil
		}
	}
}

// newDecision returns the decision for the target platforms, except those that
// [plan.ResolvePossible] has left out of the set.
func newDecision(set *plan.Set, targets []*ocispecs.Platform) *decision {
	if len(set.Targets) < len(targets) {
		targets = nil
		for _, t := range set.Targets {
			targets = append(targets, &t.Platform)
		}
	}
	return &decision{platforms: targets, set: set}
}

// fetchTriggers adds the ONBUILD triggers of base images to the known ones, and reports
// whether any image has triggers. An image that cannot be read counts as one without:
// convert finds the error in the cache and reports it.
func fetchTriggers(ctx context.Context, req *request, bases []plan.Base, known plan.Triggers) bool {
	fetched := make([][]string, len(bases))
	var eg errgroup.Group
	for i, base := range bases {
		eg.Go(func() error {
			config, err := baseConfig(ctx, req, base)
			if err == nil && config != nil {
				fetched[i] = config.Config.OnBuild
			}
			return nil
		})
	}
	_ = eg.Wait() // no function returns an error
	some := false
	for i, base := range bases {
		known[base.Key()] = fetched[i]
		some = some || len(fetched[i]) > 0
	}
	return some
}

// baseConfig returns the config of a base image, or nil if a named context without one
// replaces the image. It requests the config in the same way as BuildKit's converter
// (resolveBaseImage in dockerfile2llb/convert.go), so that both share one request.
func baseConfig(ctx context.Context, req *request, base plan.Base) (*dockerspec.DockerOCIImage, error) {
	named, err := reference.ParseNormalizedNamed(base.Image)
	if err != nil {
		return nil, err
	}
	ref := reference.TagNameOnly(named).String()
	mode := req.ImageResolveMode.String()
	replacement, err := req.NamedContext(ref, dockerui.ContextOpt{ResolveMode: mode, Platform: &base.Platform})
	if err != nil {
		return nil, err
	}
	if replacement != nil {
		_, config, err := replacement.Load(ctx)
		return config, err
	}
	prefix := "["
	if req.MultiPlatformRequested {
		prefix += platforms.FormatAll(base.Platform) + " "
	}
	_, _, data, err := req.inputs.ResolveImageConfig(ctx, ref, sourceresolver.Opt{
		LogName:  prefix + "internal] load metadata for " + ref,
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &base.Platform, ResolveMode: mode},
	})
	if err != nil {
		return nil, err
	}
	config := &dockerspec.DockerOCIImage{}
	return config, json.Unmarshal(data, config)
}
