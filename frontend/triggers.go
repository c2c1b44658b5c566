package frontend

import (
	"context"
	"encoding/json"
	"slices"

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

// resolve decides what becomes of the file for each platform. The ONBUILD triggers of
// base images can name stages of the file: it is resolved again when there are such.
func (r *request) resolve(ctx context.Context, decide resolving, file *syntax.File, targets []*ocispecs.Platform) (*plan.Set, error) {
	env := r.env()
	request := plan.Request{Stage: r.Target, Platforms: make([]ocispecs.Platform, len(targets))}
	for i, platform := range targets {
		request.Platforms[i] = env.Build
		if platform != nil {
			request.Platforms[i] = *platform
		}
	}
	t := &triggers{request: r, images: map[string]*triggeringImage{}}
	env.Triggers = t.of
	for {
		set, err := decide(file, env, request)
		if err != nil || !t.fetch(ctx) {
			return set, err
		}
	}
}

// triggers knows the ONBUILD triggers of images.
type triggers struct {
	*request
	images map[string]*triggeringImage // by name and platform
}

// triggeringImage is an image that a stage is FROM.
type triggeringImage struct {
	name     string
	platform ocispecs.Platform
	fetched  bool
	triggers []string
}

// of returns the triggers of an image that was fetched. Others are to be.
func (t *triggers) of(name string, platform ocispecs.Platform) []string {
	key := name + " " + platforms.FormatAll(platform)
	if t.images[key] == nil {
		t.images[key] = &triggeringImage{name: name, platform: platform}
	}
	return t.images[key].triggers
}

// fetch asks for the configs of the images that are new, and reports whether one has
// triggers. The conversion finds the configs in the cache, and says what is wrong.
func (t *triggers) fetch(ctx context.Context) bool {
	var eg errgroup.Group
	var fetched []*triggeringImage
	for _, img := range t.images {
		if img.fetched {
			continue
		}
		img.fetched = true
		fetched = append(fetched, img)
		eg.Go(func() error {
			config, err := t.config(ctx, img)
			if err == nil && config != nil {
				img.triggers = config.Config.OnBuild
			}
			return nil
		})
	}
	_ = eg.Wait() // has no errors
	return slices.ContainsFunc(fetched, func(img *triggeringImage) bool { return len(img.triggers) > 0 })
}

// config returns the config of an image as BuildKit's converter asks for it
// (resolveBaseImage in dockerfile2llb/convert.go), or nil where there is none.
func (t *triggers) config(ctx context.Context, img *triggeringImage) (*dockerspec.DockerOCIImage, error) {
	named, err := reference.ParseNormalizedNamed(img.name)
	if err != nil {
		return nil, err
	}
	ref := reference.TagNameOnly(named).String()
	mode := t.ImageResolveMode.String()
	given, err := t.NamedContext(ref, dockerui.ContextOpt{ResolveMode: mode, Platform: &img.platform})
	if err != nil {
		return nil, err
	}
	if given != nil {
		_, config, err := given.Load(ctx)
		return config, err
	}
	prefix := "["
	if t.MultiPlatformRequested {
		prefix += platforms.FormatAll(img.platform) + " "
	}
	_, _, data, err := t.inputs.ResolveImageConfig(ctx, ref, sourceresolver.Opt{
		LogName:  prefix + "internal] load metadata for " + ref,
		ImageOpt: &sourceresolver.ResolveImageOpt{Platform: &img.platform, ResolveMode: mode},
	})
	if err != nil {
		return nil, err
	}
	config := &dockerspec.DockerOCIImage{}
	return config, json.Unmarshal(data, config)
}
