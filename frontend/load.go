package frontend

import (
	"context"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/frontend/gateway"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/llb"
)

// request is a request to this frontend, and the Dockerfile that it is about.
type request struct {
	*dockerui.Client
	inputs    *gateway.Inputs // the client that the request is read through
	source    *dockerui.Source
	file      *syntax.File // can have diagnostics, which decide reports
	env       plan.Env
	requested []ocispecs.Platform // empty for the builder's platform
	converter *llb.Converter
}

// load reads a request and its Dockerfile through c. It returns nil for a request that
// is for another frontend.
func load(ctx context.Context, c client.Client) (*request, error) {
	in := gateway.NewInputs(c)
	bc, err := dockerui.NewClient(in)
	if err != nil {
		return nil, err
	}
	opts := bc.BuildOpts().Opts
	if forward, err := checkCaps(opts[gateway.OptionCaps]); forward || err != nil {
		return nil, err
	}
	src, err := bc.ReadEntrypoint(ctx, "Dockerfile")
	if err != nil {
		return nil, err
	}
	if isForOtherFrontend(opts, src.Data) {
		return nil, nil
	}
	// The error is in the file's diagnostics, which decide reports with those of the
	// platforms.
	file, _ := syntax.Parse(source.NewFile(src.Filename, src.Data))
	req := &request{Client: bc, inputs: in, source: src, file: file, env: envOf(bc), requested: bc.TargetPlatforms}
	if len(req.requested) == 0 {
		// Without a platform dockerui labels the result with that of this process,
		// which can differ from the builder's (Build in BuildKit's dockerui/build.go).
		bc.TargetPlatforms = bc.BuildPlatforms
	}
	req.converter = &llb.Converter{Options: dockerfile2llb.ConvertOpt{
		Config:       bc.Config,
		Client:       bc,
		SourceMap:    src.SourceMap,
		MetaResolver: in,
	}}
	return req, nil
}

// envOf returns the environment that plans of a request depend on.
func envOf(bc *dockerui.Client) plan.Env {
	env := plan.Env{
		Build:    platforms.DefaultSpec(),
		Args:     bc.BuildArgs,
		Contexts: map[string]bool{},
	}
	if len(bc.BuildPlatforms) > 0 {
		env.Build = bc.BuildPlatforms[0]
	}
	for key := range bc.BuildOpts().Opts {
		// BuildKit never looks up a context of these two names (namedContextFunc in
		// dockerfile2llb/convert.go).
		name, ok := strings.CutPrefix(key, gateway.OptionContext)
		if ok && name != dockerui.DefaultLocalNameContext && name != dockerui.EmptyImageName {
			env.Contexts[name] = true
		}
	}
	return env
}

// targetPlatforms returns the requested platforms, or a single nil for the builder's.
func (req *request) targetPlatforms() []*ocispecs.Platform {
	if len(req.requested) == 0 {
		return []*ocispecs.Platform{nil}
	}
	list := make([]*ocispecs.Platform, len(req.requested))
	for i := range req.requested {
		list[i] = &req.requested[i]
	}
	return list
}

// platformID returns the key under which dockerui keeps the result of a platform. It is
// "" for nil, the builder's platform.
func platformID(p *ocispecs.Platform) string {
	if p == nil {
		return ""
	}
	return platforms.FormatAll(platforms.Normalize(*p))
}
