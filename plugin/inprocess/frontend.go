// Package inprocess runs a Dockerfile frontend inside this program, over the
// whole build pipeline of buildx.
//
// Two hooks of buildx are enough. [Frontend.RegisterDrivers] makes its solve ask
// the daemon for no frontend at all; [Frontend.Handler] is called with the gateway
// client of every node and supplies the result in its place. All the rest is
// buildx's: outputs, pushing and loading, secrets, ssh agents, local, stdin and
// remote contexts, caches, attestations, splitting over nodes and merging.
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

// Frontend serves the requests of one build. It must not be copied.
type Frontend struct {
	serve gwclient.BuildFunc
	// image is set where the daemon runs the frontend.
	image bool

	mu sync.Mutex
	// calls holds the metadata of a subrequest's result by the first platform
	// of the request, which differs between the nodes of a builder.
	calls map[string]map[string][]byte
	// solves are buildx's builds, shared those through which they read.
	solves map[partID]*client.SolveOpt
	shared map[partID]*sharedBuild
}

// New returns a frontend that is run, in this process. It is run as if it were
// the one that the daemon has built in: that the Dockerfile or BUILDKIT_SYNTAX
// may name another one is for it to see to.
func New(run gwclient.BuildFunc) *Frontend {
	return &Frontend{serve: func(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
		return run(ctx, undecided(c))
	}}
}

// NewImage returns a frontend that has the daemon run the image ref, except for
// a Dockerfile or a BUILDKIT_SYNTAX argument that names a frontend itself.
func NewImage(ref string) *Frontend {
	return &Frontend{image: true, serve: func(ctx context.Context, c gwclient.Client) (*gwclient.Result, error) {
		c = undecided(c)
		named, err := namesFrontend(ctx, c)
		if err != nil {
			return nil, err
		}
		if !named {
			c = gateway.With(c, map[string]string{gateway.OptionSyntax: ref})
		}
		// For a request that names a frontend, running that is all that
		// BuildKit's own does. Its errors point at the line.
		return builder.Build(ctx, c)
	}}
}

// Handler is what buildx's pipeline calls with every node's gateway client.
// The drivers must come from [Frontend.RegisterDrivers].
func (f *Frontend) Handler() *build.Handler {
	// buildx would hand a git context's query to its own, emptied, solve as an
	// input that this frontend never sees. Without the variable it stays in the
	// context's URL.
	if err := os.Unsetenv("BUILDX_SEND_GIT_QUERY_AS_INPUT"); err != nil {
		panic(err) // only for a name that no variable can have
	}
	return &build.Handler{Evaluate: f.evaluate}
}

// CallResult is the metadata of the subrequest that the build was, as it came
// out for the first of the platforms, or nil. Call it after the build.
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

func (f *Frontend) evaluate(ctx context.Context, _ string, c gwclient.Client, res *gwclient.Result, opt build.Options) error {
	if opt.CallFunc != nil {
		c = withCall(c, opt.CallFunc.Name)
	}
	r, err := f.run(ctx, c, opt.Ref)
	if err != nil {
		return keepMessage(err)
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

// run serves a request by itself, or together with the other targets.
func (f *Frontend) run(ctx context.Context, c gwclient.Client, ref string) (*gwclient.Result, error) {
	if s, opts := f.sharedFor(ref, c); s != nil {
		return s.build(ctx, undecided(c), opts)
	}
	return f.serve(ctx, c)
}

// record keeps a subrequest's result: buildx has looked at its own, empty one
// by the time it calls the handler.
func (f *Frontend) record(c gwclient.Client, metadata map[string][]byte) {
	first, _, _ := strings.Cut(c.BuildOpts().Opts[gateway.OptionPlatform], ",")
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = map[string]map[string][]byte{}
	}
	f.calls[first] = metadata
}

// namesFrontend reports whether the request or else its Dockerfile names the
// frontend to run. The Dockerfile is read through the gateway, so it may be in a
// local or remote context or on standard input.
func namesFrontend(ctx context.Context, c gwclient.Client) (bool, error) {
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

// wrapped is an error whose message reaches the user whole. The result of a
// frontend goes through the daemon, and of an error that wraps one that came
// from there ("failed to read dockerfile: …") BuildKit sends back the inner
// message alone, unless it is wrapped in a list.
type wrapped struct{ error }

// Unwrap returns the error as a list of one.
func (w wrapped) Unwrap() []error { return []error{w.error} }

// keepMessage wraps err so that its message survives. Errors with a code are
// left as they are: their message carries the code, and would carry it twice.
func keepMessage(err error) error {
	if grpcerrors.Code(err) != codes.Unknown {
		return err
	}
	return wrapped{err}
}
