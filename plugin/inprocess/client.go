package inprocess

import (
	gwclient "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/stagebuild/stagebuild/frontend/gateway"
)

// withCall returns c asking for a subrequest (`--call`) in place of a build.
// buildx puts these two options only into the solve request that
// RegisterDrivers emptied, and not into those that a frontend sees.
func withCall(c gwclient.Client, name string) gwclient.Client {
	caps := gateway.CapSubrequests + gateway.CapForward
	if have := c.BuildOpts().Opts[gateway.OptionCaps]; have != "" {
		caps = have + "," + caps
	}
	return gateway.With(c, map[string]string{gateway.OptionRequestID: "frontend." + name, gateway.OptionCaps: caps})
}

// undecided returns c without buildx's decision to run the image that the
// BUILDKIT_SYNTAX argument names: a frontend that is given a command line takes
// it that it is the one that was asked for.
func undecided(c gwclient.Client) gwclient.Client {
	return gateway.With(c, nil, gateway.OptionSource, gateway.OptionCmdline)
}
