// Package offline answers what can be asked about a Dockerfile without a builder.
// It runs the frontend itself, on a gateway that has the files of one build
// context and no daemon behind it: what it answers is what a builder would.
package offline

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// Client is a gateway client without a daemon. Base images are taken to be there
// for every platform, and to have what the file asks of them: a working directory,
// and each variable that it uses. So nothing is found that depends on them.
type Client struct {
	gateway.Client // what a Dockerfile frontend does not call for a question

	// Options are the request's (frontend/dockerui): "filename", "platform", …
	Options map[string]string
	// Name and Dockerfile are the file that the request is about.
	Name       string
	Dockerfile []byte
	// Context is the folder whose .dockerignore counts, or "".
	Context string
	// Platform is the builder's own.
	Platform ocispecs.Platform
}

// BuildOpts implements gateway.Client: the request, and the capabilities of a
// daemon as new as the library.
func (c *Client) BuildOpts() gateway.BuildOpts {
	opts := maps.Clone(c.Options)
	opts["filename"] = c.Name
	return gateway.BuildOpts{
		Opts:    opts,
		Caps:    gwpb.Caps.CapSet(gwpb.Caps.All()),
		LLBCaps: pb.Caps.CapSet(pb.Caps.All()),
		Workers: []gateway.WorkerInfo{{Platforms: []ocispecs.Platform{c.Platform}}},
	}
}

// Inputs implements gateway.Client.
func (c *Client) Inputs(context.Context) (map[string]llb.State, error) {
	return map[string]llb.State{}, nil
}

// Solve implements gateway.Client: every result is the files.
func (c *Client) Solve(context.Context, gateway.SolveRequest) (*gateway.Result, error) {
	res := gateway.NewResult()
	res.SetRef(files{client: c})
	return res, nil
}

// ResolveImageConfig implements gateway.Client.
func (c *Client) ResolveImageConfig(_ context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	platform := c.Platform
	if opt.ImageOpt != nil && opt.ImageOpt.Platform != nil {
		platform = *opt.ImageOpt.Platform
	}
	config, err := json.Marshal(ocispecs.Image{Platform: platform, Config: ocispecs.ImageConfig{
		Env: variables(c.Dockerfile),
		// Any but the root, which a mount cannot have for its target.
		WorkingDir: "/workdir",
	}})
	return ref, "", config, err
}

// ResolveSourceMetadata implements gateway.Client: whatever a SOURCE_DATE_EPOCH names is
// there, and of one time.
func (c *Client) ResolveSourceMetadata(_ context.Context, op *pb.SourceOp, _ sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	time := time.Unix(0, 0)
	return &sourceresolver.MetaResponse{Op: op, HTTP: &sourceresolver.ResolveHTTPResponse{LastModified: &time}}, nil
}

var (
	usedName    = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)`)
	workdirLine = regexp.MustCompile(`(?im)^[ \t]*WORKDIR[ \t].*`)
)

// variables returns a variable for each name that a Dockerfile uses, with a value that
// a port, a mode, a size and a signal can have. What a WORKDIR uses is a path.
// An ARG or ENV of the file itself hides the variable.
func variables(dockerfile []byte) []string {
	values := map[string]string{}
	for _, m := range usedName.FindAllSubmatch(dockerfile, -1) {
		values[string(m[1])] = "1"
	}
	for _, line := range workdirLine.FindAll(dockerfile, -1) {
		for _, m := range usedName.FindAllSubmatch(line, -1) {
			values[string(m[1])] = "/1"
		}
	}
	var env []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		env = append(env, name+"="+values[name])
	}
	return env
}

// Warn implements gateway.Client. The answer holds what there is to warn of.
func (c *Client) Warn(context.Context, digest.Digest, string, gateway.WarnOpts) error {
	return nil
}

// files are what a frontend reads of a build context.
type files struct {
	gateway.Reference // what a frontend does not call for a question
	client            *Client
}

// ReadFile implements gateway.Reference.
func (f files) ReadFile(_ context.Context, req gateway.ReadRequest) ([]byte, error) {
	switch req.Filename {
	case f.client.Name:
		return f.client.Dockerfile, nil
	case f.client.Name + ".dockerignore":
		return os.ReadFile(req.Filename)
	case ".dockerignore":
		if f.client.Context != "" {
			return os.ReadFile(filepath.Join(f.client.Context, req.Filename))
		}
	}
	return nil, &fs.PathError{Op: "open", Path: req.Filename, Err: fs.ErrNotExist}
}

// StatFile implements gateway.Reference. Files are read without it.
func (f files) StatFile(context.Context, gateway.StatRequest) (*fstypes.Stat, error) {
	return nil, errors.ErrUnsupported
}
