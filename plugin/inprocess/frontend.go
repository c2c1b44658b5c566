package inprocess

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"

	"github.com/containerd/platforms"
	"github.com/docker/buildx/build"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/util/grpcerrors"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc/codes"

	"github.com/stagebuild/stagebuild/frontend/gateway"
)

// Frontend serves the requests of one command. It must not be copied.
type Frontend struct {
	serve gwclient.BuildFunc
	// image is set if the daemon runs the frontend.
	image bool

	mu sync.Mutex
	// calls has the result's metadata of a subrequest, by the first platform of the
	// request. The first platform differs between the nodes of a builder.
	calls map[string]map[string][]byte
	// solves are buildx's builds. shared are the builds that read the inputs for them.
	solves map[partID]*client.SolveOpt
	shared map[partID]*sharedBuild
}

// New returns a frontend that runs in this process, as the daemon's built-in frontend
// would: run itself has to run the frontend image if the Dockerfile or the
// BUILDKIT_SYNTAX build arg names one.
func New(run gwclient.BuildFunc) *Frontend {
	return &Frontend{serve: func(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
		return run(ctx, withoutChosenFrontend(c))
	}}
}

// NewImage returns a frontend for which the daemon runs the image ref, or the image that
// the Dockerfile or the BUILDKIT_SYNTAX build arg names.
func NewImage(ref string) *Frontend {
	return &Frontend{image: true, serve: func(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
		c = withoutChosenFrontend(c)
		named, err := isFrontendNamed(ctx, c)
		if err != nil {
			return nil, err
		}
		if !named {
			c = gateway.With(c, map[string]string{gateway.OptionSyntax: ref})
		}
		// For a request with a frontend image, BuildKit's frontend only runs that
		// image. Its errors have the line of the file.
		return builder.Build(ctx, c)
	}}
}

// Handler returns the handler for buildx's pipeline. Its Evaluate function runs the
// frontend. The drivers of the builder must come from [Frontend.RegisterDrivers].
func (f *Frontend) Handler() *build.Handler {
	// With the variable, buildx would pass the query of a git context as an input of
	// its own solve request, which this frontend does not get. Without the variable,
	// the query stays in the context's URL.
	if err := os.Unsetenv("BUILDX_SEND_GIT_QUERY_AS_INPUT"); err != nil {
		panic(err) // only for an invalid name
	}
	return &build.Handler{Evaluate: f.evaluate}
}

// CallResult returns the metadata of a subrequest's result for the first of the requested
// platforms, or nil if the build was no subrequest. Call it after the build.
func (f *Frontend) CallResult(requested []ocispecs.Platform) map[string][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range requested {
		if r, ok := f.calls[platforms.FormatAll(p)]; ok {
			return r
		}
	}
	return f.calls[""]
}

// evaluate runs the frontend and copies its result to res.
func (f *Frontend) evaluate(ctx context.Context, _ string, c gwclient.Client, res *gwclient.Result, opt build.Options) error {
	if opt.CallFunc != nil {
		c = withCall(c, opt.CallFunc.Name)
	}
	r, err := f.run(ctx, c, opt.Ref)
	if err != nil {
		return preserveMessage(err)
	}
	if r == nil {
		return errors.New("the frontend returned no result")
	}
	if opt.CallFunc != nil {
		f.record(c, r.Metadata)
	}
	// Field by field, because the result holds a lock.
	res.Ref, res.Refs, res.Metadata, res.Attestations = r.Ref, r.Refs, r.Metadata, r.Attestations
	return nil
}

// run serves a request by itself, or with the inputs that the targets share.
func (f *Frontend) run(ctx context.Context, c gwclient.Client, ref string) (*gwclient.Result, error) {
	if s, opts := f.sharedFor(ref, c); s != nil {
		return s.build(ctx, withoutChosenFrontend(c), opts)
	}
	return f.serve(ctx, c)
}

// record keeps the metadata of a subrequest's result. buildx ignores it, because it reads
// the metadata of its own, empty result before it calls the handler.
func (f *Frontend) record(c gwclient.Client, metadata map[string][]byte) {
	first, _, _ := strings.Cut(c.BuildOpts().Opts[gateway.OptionPlatform], ",")
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = map[string]map[string][]byte{}
	}
	f.calls[first] = metadata
}

// isFrontendNamed reports whether the request or its Dockerfile names a frontend image.
// It reads the Dockerfile through the gateway, so that the file can be in any context.
func isFrontendNamed(ctx context.Context, c gwclient.Client) (bool, error) {
	if _, ok := c.BuildOpts().Opts[gateway.OptionSyntax]; ok {
		return true, nil
	}
	bc, err := dockerui.NewClient(c)
	if err != nil {
		return false, err
	}
	src, err := bc.ReadEntrypoint(ctx, "Dockerfile")
	if err != nil {
		return false, err
	}
	_, _, _, ok := parser.DetectSyntax(src.Data)
	return ok, nil
}

// listError wraps an error in a list of one. A frontend's error passes through the daemon.
// If it wraps an error that the daemon sent ("failed to read dockerfile: …"), BuildKit
// returns only the inner message, but not for an error in a list.
type listError struct{ error }

// Unwrap returns the list.
func (e listError) Unwrap() []error { return []error{e.error} }

// preserveMessage wraps err so that the daemon returns the whole message. It does not wrap
// an error with a gRPC code, because the message would have the code twice.
func preserveMessage(err error) error {
	if grpcerrors.Code(err) != codes.Unknown {
		return err
	}
	return listError{err}
}
