package gateway

import (
	"maps"

	"github.com/moby/buildkit/frontend/gateway/client"
)

// overridden is a gateway client with other options than the client that it wraps.
type overridden struct {
	client.Client
	opts map[string]string
}

// Override returns c with opts as its options.
func Override(c client.Client, opts map[string]string) client.Client {
	return overridden{Client: c, opts: opts}
}

// With returns c with the options of set added and those of unset removed.
func With(c client.Client, set map[string]string, unset ...string) client.Client {
	opts := maps.Clone(c.BuildOpts().Opts)
	if opts == nil {
		opts = map[string]string{}
	}
	maps.Copy(opts, set)
	for _, key := range unset {
		delete(opts, key)
	}
	return Override(c, opts)
}

// BuildOpts implements client.Client. Every call returns a map of its own, because
// BuildKit's frontend writes to it.
func (c overridden) BuildOpts() client.BuildOpts {
	o := c.Client.BuildOpts()
	o.Opts = maps.Clone(c.opts)
	return o
}
