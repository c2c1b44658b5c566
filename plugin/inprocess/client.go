package inprocess

import (
	gwclient "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/stagebuild/stagebuild/frontend/gateway"
)

// withCall returns c with the options of a subrequest (`--call`). buildx sets these two
// options only in the solve request from which RegisterDrivers removes the frontend.
func withCall(c gwclient.Client, name string) gwclient.Client {
	caps := gateway.CapSubrequests + gateway.CapForward
	if have := c.BuildOpts().Opts[gateway.OptionCaps]; have != "" {
		caps = have + "," + caps
	}
	return gateway.With(c, map[string]string{gateway.OptionRequestID: "frontend." + name, gateway.OptionCaps: caps})
}

// withoutChosenFrontend returns c without the options for the frontend image that buildx
// took from the BUILDKIT_SYNTAX build arg. A frontend with a command line assumes that it
// runs from that image, and would not run the image itself.
func withoutChosenFrontend(c gwclient.Client) gwclient.Client {
	return gateway.With(c, nil, gateway.OptionSource, gateway.OptionCmdline)
}
