// Command stagebuild-frontend is the entrypoint of the frontend image. BuildKit runs
// it for a Dockerfile with that image in its "# syntax=" line.
package main

import (
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto" // faster gRPC encoding of BuildKit's messages

	"github.com/stagebuild/stagebuild/frontend"
)

func main() {
	if err := grpcclient.RunFromEnvironment(appcontext.Context(), frontend.Build); err != nil {
		fmt.Fprintln(os.Stderr, "stagebuild-frontend:", err)
		os.Exit(1)
	}
}
