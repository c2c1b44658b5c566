package build

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/containerd/platforms"
	"github.com/docker/buildx/driver"
	"github.com/docker/buildx/util/buildflags"
	"github.com/docker/buildx/util/dockerutil"
	"github.com/docker/cli/cli/command"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/progress/progressui"
	dockerclient "github.com/moby/moby/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/plugin/connect"
)

// connectBuilder connects to the builder that the flags and the environment choose. It
// prints notices about the private daemon unless the output is for programs.
func connectBuilder(ctx context.Context, dockerCLI command.Cli, options *options, display progressui.DisplayMode) (*connect.Builder, error) {
	var notices io.Writer = dockerCLI.Err()
	if display == progressui.QuietMode || display == progressui.RawJSONMode {
		notices = io.Discard
	}
	b, err := connect.Connect(ctx, dockerCLI, connect.Choose(options.builder, os.Getenv), options.contextPath, notices)
	if err != nil {
		return nil, err
	}
	if b.Driver == "docker" {
		return b, nil
	}
	if err := checkEngines(ctx, dockerCLI, options); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// checkEngines returns an error if the image is loaded into a Docker Engine that does not
// answer. buildx fails only after the build, with an error about a closed pipe.
func checkEngines(ctx context.Context, dockerCLI command.Cli, options *options) error {
	contexts, err := loadContexts(options)
	if err != nil {
		return err
	}
	for _, name := range contexts {
		engine, err := dockerutil.NewClient(dockerCLI).API(name)
		if err == nil {
			_, err = engine.Ping(ctx, dockerclient.PingOptions{})
		}
		if err != nil {
			return fmt.Errorf("the image cannot be loaded into Docker (for a file instead, use --output type=docker,dest=FILE): %w", err)
		}
	}
	return nil
}

// loadContexts returns the Docker contexts of the engines that the image is loaded into,
// "" for the current context.
func loadContexts(options *options) ([]string, error) {
	if options.call != "build" {
		return nil, nil
	}
	// A template names a file or directory, and loads no image.
	entries, err := buildflags.ParseExports(options.WithoutTemplates().Outputs)
	if err != nil {
		return nil, fmt.Errorf("--output: %w", err)
	}
	var contexts []string
	for _, e := range entries {
		if e.Type == client.ExporterDocker && e.Destination == "" && e.Attrs["tar"] != "false" {
			contexts = append(contexts, e.Attrs["context"])
		}
	}
	if options.load && len(contexts) == 0 {
		contexts = append(contexts, "")
	}
	return contexts, nil
}

// onePlatformError is the error for an engine that cannot store images for several
// platforms.
type onePlatformError struct {
	builder   string
	requested []ocispecs.Platform
}

// Error lists ways to build for the requested platforms. buildx fails too, but suggests an
// option that older engines do not have.
func (e *onePlatformError) Error() string {
	names := make([]string, len(e.requested))
	for i, p := range e.requested {
		names[i] = platforms.Format(p)
	}
	return fmt.Sprintf(`the Docker Engine of builder %q cannot store one image for several platforms (%s).
Build one image for each platform with: --tag 'NAME:{{.Arch}}'
Or create a builder that can --push such an image with: docker buildx create --use --driver docker-container
Or enable the containerd image store of Docker Engine 24 or later: https://docs.docker.com/go/build-multi-platform/`,
		e.builder, strings.Join(names, ", "))
}

// checkPlatforms returns an error if several platforms are requested of an engine that
// stores images for one platform.
func checkPlatforms(ctx context.Context, b *connect.Builder, requested []ocispecs.Platform) error {
	if len(requested) < 2 || b.Driver != "docker" {
		return nil
	}
	for _, n := range b.Nodes {
		if n.Driver == nil {
			continue
		}
		features, err := n.Driver.Features(ctx)
		if err != nil {
			return err
		}
		if !features[driver.MultiPlatform] {
			return &onePlatformError{builder: b.Name, requested: requested}
		}
	}
	return nil
}
