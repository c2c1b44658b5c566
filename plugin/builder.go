package plugin

import (
	"context"
	"io"
	"os"

	"github.com/docker/cli/cli/command"
	"github.com/moby/buildkit/util/progress/progressui"

	"github.com/stagebuild/stagebuild/plugin/connect"
)

// connectBuilder connects to the builder that the flags and the environment
// choose. A line about a private daemon is for people, and so not among what
// programs read.
func connectBuilder(ctx context.Context, dockerCLI command.Cli, options buildOptions, display progressui.DisplayMode) (*connect.Builder, error) {
	var notices io.Writer = dockerCLI.Err()
	if display == progressui.QuietMode || display == progressui.RawJSONMode {
		notices = io.Discard
	}
	return connect.Connect(ctx, dockerCLI, connect.Choose(options.builder, os.Getenv), options.contextPath, notices)
}
