package frontend

import (
	"context"
	"encoding/json"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/util/flightcontrol"
	digest "github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/proto"
)

// reads is a gateway client that a request is read through: it asks once for the
// config of each (image, platform, mode) and for each source of files, whoever
// needs them.
type reads struct {
	client.Client
	configs flightcontrol.CachedGroup[imageConfig]
	sources flightcontrol.CachedGroup[*client.Result]
}

type imageConfig struct {
	ref    string
	digest digest.Digest
	config []byte
}

func newReads(c client.Client) *reads {
	// An image that is not there is asked for once too.
	return &reads{Client: c, configs: flightcontrol.CachedGroup[imageConfig]{CacheError: true}}
}

// ResolveImageConfig implements llb.ImageMetaResolver.
func (c *reads) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	log := opt.LogName
	opt.LogName = "" // who asks does not matter
	key, err := json.Marshal(struct {
		Ref string
		Opt sourceresolver.Opt
	}{ref, opt})
	if err != nil {
		return "", "", nil, err
	}
	opt.LogName = log
	res, err := c.configs.Do(ctx, string(key), func(ctx context.Context) (imageConfig, error) {
		ref, dgst, config, err := c.Client.ResolveImageConfig(ctx, ref, opt)
		return imageConfig{ref, dgst, config}, err
	})
	return res.ref, res.digest, res.config, err
}

// Solve implements client.Client: it loads a source of files.
func (c *reads) Solve(ctx context.Context, req client.SolveRequest) (*client.Result, error) {
	key, err := proto.MarshalOptions{Deterministic: true}.Marshal(req.Definition)
	if err != nil {
		return nil, err
	}
	return c.sources.Do(ctx, string(key), func(ctx context.Context) (*client.Result, error) {
		return c.Client.Solve(ctx, req)
	})
}
