package inprocess

import (
	"maps"
	"strings"

	gateway "github.com/moby/buildkit/frontend/gateway/client"
)

// The options of a frontend request that this package reads or sets. The names
// are BuildKit's (frontend/dockerfile/builder, frontend/dockerui).
const (
	keyCaps      = "frontend.caps"
	keyCmdline   = "cmdline"
	keyPlatform  = "platform"
	keyRequestID = "requestid"
	keySource    = "source"
	keySyntaxArg = "build-arg:BUILDKIT_SYNTAX"

	capSubrequests = "moby.buildkit.frontend.subrequests+forward"
)

// overridden is a gateway client whose request has other options than the one that
// buildx sent: a frontend reads them nowhere else.
type overridden struct {
	gateway.Client
	opts map[string]string
}

// BuildOpts returns the request with the changed options. Every call gets a
// map of its own, because BuildKit's frontend writes to it.
func (c overridden) BuildOpts() gateway.BuildOpts {
	o := c.Client.BuildOpts()
	o.Opts = maps.Clone(c.opts)
	return o
}

// with returns c with the options of set added and those of unset taken away.
func with(c gateway.Client, set map[string]string, unset ...string) gateway.Client {
	opts := maps.Clone(c.BuildOpts().Opts)
	if opts == nil {
		opts = map[string]string{}
	}
	maps.Copy(opts, set)
	for _, k := range unset {
		delete(opts, k)
	}
	return overridden{Client: c, opts: opts}
}

// withCall returns c asking for a subrequest (`--call`) in place of a build.
// buildx puts these two options only into the solve request that
// RegisterDrivers emptied, and not into those that a frontend sees.
func withCall(c gateway.Client, name string) gateway.Client {
	caps := capSubrequests
	if have := c.BuildOpts().Opts[keyCaps]; have != "" {
		caps = strings.Join([]string{have, capSubrequests}, ",")
	}
	return with(c, map[string]string{keyRequestID: "frontend." + name, keyCaps: caps})
}

// undecided returns c without buildx's decision to run the image that the
// BUILDKIT_SYNTAX argument names: a frontend that is given a command line takes
// it that it is the one that was asked for.
func undecided(c gateway.Client) gateway.Client {
	return with(c, nil, keySource, keyCmdline)
}
