// Package frontend serves one BuildKit gateway request for a staged Dockerfile.
package frontend

import (
	"context"

	"github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/gateway/client"
)

// Build is the frontend: a gateway build function that reads the Dockerfile of
// the request, converts it for every target platform and solves the results.
func Build(ctx context.Context, c client.Client) (*client.Result, error) {
	return builder.Build(ctx, c)
}
