// Package frontend serves one BuildKit gateway request for a staged Dockerfile:
// it reads the file, decides and lowers it for each target platform, converts
// the lowered files to LLB and solves them. It is a strict superset of BuildKit's
// frontend/dockerfile/builder, whose flow it follows and whose parts it calls.
package frontend

import (
	"context"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stagebuild/stagebuild/frontend/gateway"
	"github.com/stagebuild/stagebuild/llb"
)

// Build is the frontend: a gateway build function. A file whose "# syntax=" names
// another frontend is handed to that. Errors of the Dockerfile carry BuildKit's
// source info (solver/errdefs), so that clients print the user's lines.
func Build(ctx context.Context, c client.Client) (*client.Result, error) {
	conv, err := convert(ctx, gateway.NewCache(c), &warnings{})
	if err != nil {
		return nil, err
	}
	return conv.solve(ctx, c)
}

// request is one request to the frontend.
type request struct {
	*dockerui.Client
	inputs    *gateway.Inputs     // the gateway that is read through
	asked     []ocispecs.Platform // the platforms asked for, none for the builder's
	source    *dockerui.Source
	converter *llb.Converter
	warnings  *warnings
}

func newRequest(bc *dockerui.Client, c *gateway.Inputs, src *dockerui.Source, warned *warnings) *request {
	r := &request{Client: bc, inputs: c, asked: bc.TargetPlatforms, source: src, warnings: warned}
	r.converter = &llb.Converter{Options: dockerfile2llb.ConvertOpt{
		Config:       bc.Config,
		Client:       bc,
		SourceMap:    src.SourceMap,
		MetaResolver: c,
	}}
	if len(r.asked) == 0 {
		// Else dockerui says that the result is for what this process runs on, which
		// need not be on the builder (Build in BuildKit's dockerui/build.go).
		bc.TargetPlatforms = bc.BuildPlatforms
	}
	return r
}

// targetPlatforms returns the platforms asked for, or nil alone for the builder's.
func (r *request) targetPlatforms() []*ocispecs.Platform {
	if len(r.asked) == 0 {
		return []*ocispecs.Platform{nil}
	}
	return pointers(r.asked)
}

func pointers(platforms []ocispecs.Platform) []*ocispecs.Platform {
	list := make([]*ocispecs.Platform, len(platforms))
	for i := range platforms {
		list[i] = &platforms[i]
	}
	return list
}

// platformID is the key under which dockerui keeps the result of a platform. What is
// found for the builder's, nil, is kept beside that of no other.
func platformID(p *ocispecs.Platform) string {
	if p == nil {
		return ""
	}
	return platforms.FormatAll(platforms.Normalize(*p))
}
