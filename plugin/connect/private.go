package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/buildx/util/confutil"
	"github.com/docker/cli/cli/command"
	"github.com/sirupsen/logrus"

	"github.com/stagebuild/stagebuild/plugin/daemon"
)

// connectNamedDaemon connects to the private daemon, which was chosen by name.
func connectNamedDaemon(ctx context.Context, cli command.Cli, source Source, notices io.Writer) (*Builder, error) {
	b, err := connectDaemon(ctx, cli, "", notices)
	if err == nil || ctx.Err() != nil {
		return b, err
	}
	return nil, &Error{Source: source, Name: daemon.Name, Embedded: true, Err: err}
}

// connectFallback connects to the private daemon because the Docker Engine does not
// answer.
func connectFallback(ctx context.Context, cli command.Cli, engine *Error, notices io.Writer) (*Builder, error) {
	logrus.Debugf("no Docker Engine: %v", engine.Err)
	why := fmt.Sprintf("No Docker Engine answers at %s.\n", cli.DockerEndpoint().Host)
	b, err := connectDaemon(ctx, cli, why, notices)
	if err == nil || ctx.Err() != nil {
		return b, err
	}
	engine.Private = err
	return nil, engine
}

// connectDaemon connects to the private daemon, and starts it if it does not run.
// It writes a line about that to notices, after why if it starts the daemon.
func connectDaemon(ctx context.Context, cli command.Cli, why string, notices io.Writer) (*Builder, error) {
	settings, err := daemonSettings(cli)
	if err != nil {
		return nil, err
	}
	var started bool
	lease, err := daemon.Use(ctx, settings, func() {
		started = true
		fmt.Fprintf(notices, "%sUsing a private BuildKit daemon (state: %s, log: %s), which stops after %s without a build.\n",
			why, settings.Dir, settings.Log(), settings.Idle)
	})
	if err != nil {
		return nil, err
	}
	if !started {
		fmt.Fprintf(notices, "Using the private BuildKit daemon (state: %s).\n", settings.Dir)
	}
	b, err := connectAddress(ctx, cli, daemon.Name, lease.Address)
	if err != nil {
		return nil, errors.Join(err, lease.Close())
	}
	b.lease = lease
	return b, nil
}

// daemonSettings reads the private daemon's settings from the environment. The
// daemon gets the same BuildKit configuration file as buildx's own daemons.
func daemonSettings(cli command.Cli) (daemon.Settings, error) {
	settings, err := daemon.ReadSettings(os.Getenv)
	if err != nil {
		return settings, err
	}
	if file, ok := confutil.NewConfig(cli).BuildKitConfigFile(); ok {
		// BUILDX_CONFIG may be relative, and the daemon has another working directory.
		settings.Config, err = filepath.Abs(file)
	}
	return settings, err
}

// isLocalEngine reports whether the docker context's engine would run on this
// machine. A user who chose an engine on another machine does not expect a build
// on this one.
func isLocalEngine(cli command.Cli) bool {
	return strings.HasPrefix(cli.DockerEndpoint().Host, "unix://")
}
