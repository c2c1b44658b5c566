package subrequest

import (
	"context"

	buildkit "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/convertllb"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/frontend/gateway"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/llb"
)

// Request is a request to the frontend, which can be a subrequest.
type Request struct {
	*dockerui.Client
	File *syntax.File
	// SourceMap is the source map of the user's file.
	SourceMap *buildkit.SourceMap
	Env       plan.Env
	// Requested are the target platforms of the request, if it has any.
	Requested []ocispecs.Platform
	Converter *llb.Converter
}

// Lowerer lowers the Dockerfile of a request.
type Lowerer interface {
	// Lower returns the lowered files of a scope, and supplies the cross-platform
	// inputs that they use as named contexts.
	Lower(ctx context.Context, scope Scope) (*Lowered, error)
}

// Scope has the options of [Lowerer.Lower].
type Scope struct {
	// Platforms are the target platforms, nil for the builder's.
	Platforms []*ocispecs.Platform
	// Possible leaves out the platforms that the target cannot be built for.
	Possible bool
	// AllInputs supplies the inputs of unreached stages too.
	AllInputs bool
}

// Lowered are the lowered files of a scope.
type Lowered struct {
	// Set is the set of plans, or nil for a plain Dockerfile.
	Set *plan.Set
	// Files has one file for each target platform.
	Files []llb.Input
}

// server serves one subrequest.
type server struct {
	Request
	lowerer Lowerer
}

// Serve returns the result of a subrequest. It reports false if the request is a build.
func Serve(ctx context.Context, req Request, lowerer Lowerer) (*client.Result, bool, error) {
	s := &server{Request: req, lowerer: lowerer}
	id := req.BuildOpts().Opts[gateway.OptionRequestID]
	for _, m := range ownMethods() {
		if m.Name == id {
			res, err := s.serveOwn(m)
			return res, true, err
		}
	}
	res, ok, err := s.serveBuildKit(ctx)
	if res != nil && id == subrequests.RequestSubrequestsDescribe {
		res, err = addOwnMethods(res)
	}
	return res, ok, err
}

// serveBuildKit serves BuildKit's subrequests.
func (s *server) serveBuildKit(ctx context.Context) (*client.Result, bool, error) {
	return s.HandleSubrequest(ctx, dockerui.RequestHandler{
		Outline: func(ctx context.Context) (*outline.Outline, error) {
			in, err := s.lowerOne(ctx)
			if err != nil {
				return nil, err
			}
			o, err := dockerfile2llb.Dockerfile2Outline(ctx, in.Dockerfile, s.Converter.For(in))
			if err != nil {
				return nil, err
			}
			if len(o.Sources) > 0 {
				o.Sources = [][]byte{s.File.Source.Data}
			}
			return o, nil
		},
		ListTargets: func(context.Context) (*targets.List, error) {
			return s.listTargets()
		},
		Lint: s.lint,
		ConvertLLB: func(ctx context.Context) (*convertllb.Result, error) {
			in, err := s.lowerOne(ctx)
			if err != nil {
				return nil, err
			}
			return dockerfile2llb.DockerfileConvertLLB(ctx, in.Dockerfile, s.Converter.For(in))
		},
	})
}

// lowerOne lowers the file for the first requested platform. For a plain Dockerfile
// BuildKit serves such a subrequest for the builder's platform.
func (s *server) lowerOne(ctx context.Context) (llb.Input, error) {
	var platform *ocispecs.Platform
	if s.File.IsStaged && len(s.Requested) > 0 {
		platform = &s.Requested[0]
	}
	lowered, err := s.lowerer.Lower(ctx, Scope{Platforms: []*ocispecs.Platform{platform}})
	if err != nil {
		return llb.Input{}, err
	}
	return lowered.Files[0], nil
}
