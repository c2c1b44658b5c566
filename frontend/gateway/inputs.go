package gateway

import (
	"context"
	"encoding/json"
	"maps"

	buildkit "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
)

// Inputs is a gateway client with additional named contexts, which are inputs of the
// request (BuildKit's dockerui/namedcontext.go). [Inputs.Add] must not be called while
// the client is used concurrently.
type Inputs struct {
	client.Client
	opts   client.BuildOpts
	states map[string]buildkit.State
}

// NewInputs returns a client that adds named contexts to those of c.
func NewInputs(c client.Client) *Inputs {
	opts := c.BuildOpts()
	opts.Opts = maps.Clone(opts.Opts)
	if opts.Opts == nil {
		opts.Opts = map[string]string{}
	}
	return &Inputs{Client: c, opts: opts, states: map[string]buildkit.State{}}
}

// BuildOpts implements client.Client.
func (c *Inputs) BuildOpts() client.BuildOpts {
	return c.opts
}

// Inputs implements client.Client.
func (c *Inputs) Inputs(ctx context.Context) (map[string]buildkit.State, error) {
	given, err := c.Client.Inputs(ctx)
	if err != nil {
		return nil, err
	}
	all := maps.Clone(c.states)
	maps.Copy(all, given)
	return all, nil
}

// Add adds a named context: a definition and the config of its image. Without a
// definition it is empty. The context is made from the definition rather than from a
// state, so that its steps keep their platform and no ARG of the state comes along.
func (c *Inputs) Add(name string, def *pb.Definition, image *dockerspec.DockerOCIImage) error {
	state := buildkit.Scratch()
	if len(def.Def) > 0 {
		op, err := buildkit.NewDefinitionOp(def)
		if err != nil {
			return err
		}
		state = buildkit.NewState(op.Output())
	}
	config, err := json.Marshal(image)
	if err != nil {
		return err
	}
	metadata, err := json.Marshal(map[string][]byte{exptypes.ExporterImageConfigKey: config})
	if err != nil {
		return err
	}
	c.states[name] = state
	c.opts.Opts[OptionContext+name] = "input:" + name
	c.opts.Opts[OptionInputMetadata+name] = string(metadata)
	return nil
}
