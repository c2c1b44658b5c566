package frontend

import (
	"context"
	"encoding/json"
	"maps"

	buildkit "github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/stagebuild/stagebuild/llb"
)

// inputs is a gateway client that supplies stages and images for platforms of
// their own as named contexts of the request (dockerui/namedcontext.go). It is
// changed only before conversions use it concurrently.
type inputs struct {
	client.Client
	opts   client.BuildOpts
	states map[string]buildkit.State
}

func newInputs(c client.Client) *inputs {
	opts := c.BuildOpts()
	opts.Opts = maps.Clone(opts.Opts)
	if opts.Opts == nil {
		opts.Opts = map[string]string{}
	}
	return &inputs{Client: c, opts: opts, states: map[string]buildkit.State{}}
}

// BuildOpts implements client.Client.
func (c *inputs) BuildOpts() client.BuildOpts {
	return c.opts
}

// Inputs implements client.Client.
func (c *inputs) Inputs(ctx context.Context) (map[string]buildkit.State, error) {
	given, err := c.Client.Inputs(ctx)
	if err != nil {
		return nil, err
	}
	all := maps.Clone(c.states)
	maps.Copy(all, given)
	return all, nil
}

// add supplies a converted stage under the name of a named context. It enters as
// its definition, so that its steps stay the very ones of its own platform, and
// without the ARGs of its state.
func (c *inputs) add(name string, res *llb.Result) error {
	state := buildkit.Scratch() // which has no definition
	if len(res.Definition.Def) > 0 {
		op, err := buildkit.NewDefinitionOp(res.Definition)
		if err != nil {
			return err
		}
		state = buildkit.NewState(op.Output())
	}
	config, err := json.Marshal(res.Image)
	if err != nil {
		return err
	}
	metadata, err := json.Marshal(map[string][]byte{exptypes.ExporterImageConfigKey: config})
	if err != nil {
		return err
	}
	c.states[name] = state
	c.opts.Opts[keyContextPrefix+name] = "input:" + name
	c.opts.Opts[keyInputMetadata+name] = string(metadata)
	return nil
}
