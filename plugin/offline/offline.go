package offline

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/stagebuild/stagebuild/frontend/gateway"
)

// Client is a gateway client without a daemon. It assumes that every base image exists
// for every platform, and has a working directory and all variables that the file uses.
// So a subrequest finds nothing that depends on the images.
type Client struct {
	gwclient.Client // nil: a Dockerfile frontend calls no other method for a subrequest

	// Options are the request's options (frontend/dockerui): "platform", "target", …
	Options map[string]string
	// Name and Dockerfile are the path and the content of the requested file.
	Name       string
	Dockerfile []byte
	// Context is the directory with the .dockerignore file, or "".
	Context string
	// Platform is the builder's platform.
	Platform ocispecs.Platform
}

// BuildOpts implements gwclient.Client. It returns the request with the capabilities of
// a daemon of the same version as the BuildKit library.
func (c *Client) BuildOpts() gwclient.BuildOpts {
	opts := maps.Clone(c.Options)
	opts[gateway.OptionFilename] = c.Name
	return gwclient.BuildOpts{
		Opts:    opts,
		Caps:    gwpb.Caps.CapSet(gwpb.Caps.All()),
		LLBCaps: pb.Caps.CapSet(pb.Caps.All()),
		Workers: []gwclient.WorkerInfo{{Platforms: []ocispecs.Platform{c.Platform}}},
	}
}

// Inputs implements gwclient.Client.
func (c *Client) Inputs(context.Context) (map[string]llb.State, error) {
	return map[string]llb.State{}, nil
}

// Solve implements gwclient.Client. Every result has the files of the build context.
func (c *Client) Solve(context.Context, gwclient.SolveRequest) (*gwclient.Result, error) {
	res := gwclient.NewResult()
	res.SetRef(files{client: c})
	return res, nil
}

// ResolveImageConfig implements gwclient.Client.
func (c *Client) ResolveImageConfig(_ context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	platform := c.Platform
	if opt.ImageOpt != nil && opt.ImageOpt.Platform != nil {
		platform = *opt.ImageOpt.Platform
	}
	config, err := json.Marshal(ocispecs.Image{Platform: platform, Config: ocispecs.ImageConfig{
		Env: variables(c.Dockerfile),
		// Not the root directory, which cannot be the target of a mount.
		WorkingDir: "/workdir",
	}})
	return ref, "", config, err
}

// ResolveSourceMetadata implements gwclient.Client. Every source that SOURCE_DATE_EPOCH
// can refer to exists, and has the same time.
func (c *Client) ResolveSourceMetadata(_ context.Context, op *pb.SourceOp, _ sourceresolver.Opt) (*sourceresolver.MetaResponse, error) {
	time := time.Unix(0, 0)
	return &sourceresolver.MetaResponse{Op: op, HTTP: &sourceresolver.ResolveHTTPResponse{LastModified: &time}}, nil
}

var (
	usedName    = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)`)
	workdirLine = regexp.MustCompile(`(?im)^[ \t]*WORKDIR[ \t].*`)
)

// variables returns a variable for each name that a Dockerfile uses. Its value, 1, is
// valid as a port, a mode, a size and a signal. A name in a WORKDIR gets a path. An ARG
// or ENV of the file overrides the variable.
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

// Warn implements gwclient.Client. It does nothing, because the result of a subrequest
// has the warnings.
func (c *Client) Warn(context.Context, digest.Digest, string, gwclient.WarnOpts) error {
	return nil
}

// files is a reference to the Dockerfile and the ignore files of the build context.
type files struct {
	gwclient.Reference // nil: a frontend calls no other method for a subrequest
	client             *Client
}

// ReadFile implements gwclient.Reference.
func (f files) ReadFile(_ context.Context, req gwclient.ReadRequest) ([]byte, error) {
	switch req.Filename {
	case f.client.Name:
		return f.client.Dockerfile, nil
	case f.client.Name + ".dockerignore":
		return ReadFile(req.Filename)
	case ".dockerignore":
		if f.client.Context != "" {
			return ReadFile(filepath.Join(f.client.Context, req.Filename))
		}
	}
	return nil, &fs.PathError{Op: "open", Path: req.Filename, Err: fs.ErrNotExist}
}

// StatFile implements gwclient.Reference. It is not supported: BuildKit's frontend then
// reads the file without it.
func (f files) StatFile(context.Context, gwclient.StatRequest) (*fstypes.Stat, error) {
	return nil, errors.ErrUnsupported
}
