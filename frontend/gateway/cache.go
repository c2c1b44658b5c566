package gateway

import (
	"context"
	"encoding/json"

	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/util/flightcontrol"
	digest "github.com/opencontainers/go-digest"
	"google.golang.org/protobuf/proto"
)

// Cache is a gateway client that requests the config of each (image, platform, mode)
// and each source of files only once. It is safe for concurrent use.
type Cache struct {
	client.Client
	configs flightcontrol.CachedGroup[imageConfig]
	sources flightcontrol.CachedGroup[*client.Result]
}

type imageConfig struct {
	ref    string
	digest digest.Digest
	config []byte
}

// NewCache returns an empty cache for c.
func NewCache(c client.Client) *Cache {
	// Errors are cached too, so that a missing image is requested once.
	return &Cache{Client: c, configs: flightcontrol.CachedGroup[imageConfig]{CacheError: true}}
}

// ResolveImageConfig implements llb.ImageMetaResolver.
func (c *Cache) ResolveImageConfig(ctx context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	log := opt.LogName
	opt.LogName = "" // the name in the progress does not change the config
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

// Solve implements client.Client for sources of files.
func (c *Cache) Solve(ctx context.Context, req client.SolveRequest) (*client.Result, error) {
	key, err := proto.MarshalOptions{Deterministic: true}.Marshal(req.Definition)
	if err != nil {
		return nil, err
	}
	return c.sources.Do(ctx, string(key), func(ctx context.Context) (*client.Result, error) {
		return c.Client.Solve(ctx, req)
	})
}
