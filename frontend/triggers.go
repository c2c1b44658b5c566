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
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"golang.org/x/sync/errgroup"
)

// resolving is [plan.Resolve] or [plan.ResolvePossible].
type resolving func(*syntax.File, plan.Env, plan.Request) (*plan.Set, error)

// resolve plans the file for each platform. The ONBUILD triggers of base images can name
// stages of the file: the file is planned again with the triggers of the images that
// the plan reaches, until it reaches no other image that has some.
func (r *request) resolve(ctx context.Context, decide resolving, file *syntax.File, targets []*ocispecs.Platform) (*plan.Set, error) {
	env := r.env()
	request := plan.Request{Stage: r.Target, Platforms: make([]ocispecs.Platform, len(targets)), Triggers: plan.Triggers{}}
	for i, platform := range targets {
		request.Platforms[i] = env.Build
		if platform != nil {
			request.Platforms[i] = *platform
		}
	}
	for {
		set, err := decide(file, env, request)
		if err != nil || !r.fetchTriggers(ctx, set.UnknownBases, request.Triggers) {
			return set, err
		}
	}
}

// fetchTriggers adds the ONBUILD triggers of base images to those that are known, and
// reports whether one of the images has triggers. An image that cannot be read counts
// as one without: the conversion finds its config in the cache, and reports the error.
func (r *request) fetchTriggers(ctx context.Context, bases []plan.Base, known plan.Triggers) bool {
	fetched := make([][]string, len(bases))
	var eg errgroup.Group
	for i, base := range bases {
		eg.Go(func() error {
			config, err := r.baseConfig(ctx, base)
			if err == nil && config != nil {
				fetched[i] = config.Config.OnBuild
			}
			return nil
		})
	}
	_ = eg.Wait() // has no errors
	some := false
	for i, base := range bases {
		known[base.Key()] = fetched[i]
		some = some || len(fetched[i]) > 0
	}
	return some
}

// baseConfig returns the config of a base image as BuildKit's converter asks for it
// (resolveBaseImage in dockerfile2llb/convert.go), or nil where there is none.
func (r *request) baseConfig(ctx context.Context, base plan.Base) (*dockerspec.DockerOCIImage, error) {
	named, err := reference.ParseNormalizedNamed(base.Image)
	if err != nil {
		return nil, err
	}
	ref := reference.TagNameOnly(named).String()
	mode := r.ImageResolveMode.String()
	given, err := r.NamedContext(ref, dockerui.ContextOpt{ResolveMode: mode, Platform: &base.Platform})
	if err != nil {
		return nil, err
	}
	if given != nil {
		_, config, err := given.Load(ctx)
		return config, err
	}
	prefix := "["
	if r.MultiPlatformRequested {
		prefix += platforms.FormatAll(base.Platform) + " "
	}
	_, _, data, err := r.inputs.ResolveImageConfig(ctx, ref, sourceresolver.Opt{
		LogName:  prefix + "internal] load metadata for " + ref,
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &base.Platform, ResolveMode: mode},
	})
	if err != nil {
		return nil, err
	}
	config := &dockerspec.DockerOCIImage{}
	return config, json.Unmarshal(data, config)
}
