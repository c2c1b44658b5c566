package frontend

import (
	"context"
	"encoding/json"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/util/flightcontrol"
	digest "github.com/opencontainers/go-digest"
)

// resolveCache is a gateway client that asks for the config of each (image,
// platform, mode) once in a request, whoever needs it.
type resolveCache struct {
	client.Client
	group flightcontrol.CachedGroup[imageConfig]
}

type imageConfig struct {
	ref    string
	digest digest.Digest
	config []byte
}

func newResolveCache(c client.Client) *resolveCache {
	// An image that is not there is asked for once too.
	return &resolveCache{Client: c, group: flightcontrol.CachedGroup[imageConfig]{CacheError: true}}
}

// ResolveImageConfig implements llb.ImageMetaResolver.
func (c *resolveCache) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
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
	res, err := c.group.Do(ctx, string(key), func(ctx context.Context) (imageConfig, error) {
		ref, dgst, config, err := c.Client.ResolveImageConfig(ctx, ref, opt)
		return imageConfig{ref, dgst, config}, err
	})
	return res.ref, res.digest, res.config, err
}
