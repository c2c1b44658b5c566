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

// connectNamedDaemon uses the private daemon because it was asked for.
func connectNamedDaemon(ctx context.Context, cli command.Cli, source Source, notices io.Writer) (*Builder, error) {
	b, err := connectDaemon(ctx, cli, "", notices)
	if err == nil || ctx.Err() != nil {
		return b, err
	}
	return nil, &Error{Source: source, Name: daemon.Name, Embedded: true, Err: err}
}

// connectInstead uses the private daemon because no engine answers.
func connectInstead(ctx context.Context, cli command.Cli, engine *Error, notices io.Writer) (*Builder, error) {
	logrus.Debugf("no Docker Engine: %v", engine.Err)
	why := fmt.Sprintf("No Docker Engine answers at %s.\n", cli.DockerEndpoint().Host)
	b, err := connectDaemon(ctx, cli, why, notices)
	if err == nil || ctx.Err() != nil {
		return b, err
	}
	engine.Private = err
	return nil, engine
}

// connectDaemon starts the private daemon, or finds it running, and says so. It
// says why when the daemon is started.
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

// daemonSettings are those of the environment, with the configuration that buildx
// gives to the daemons that it makes.
func daemonSettings(cli command.Cli) (daemon.Settings, error) {
	settings, err := daemon.ReadSettings(os.Getenv)
	if err != nil {
		return settings, err
	}
	if file, ok := confutil.NewConfig(cli).BuildKitConfigFile(); ok {
		// BUILDX_CONFIG may be relative, and the daemon runs elsewhere.
		settings.Config, err = filepath.Abs(file)
	}
	return settings, err
}

// localEngine reports whether the engine of the docker context would be on this
// machine. One on another machine was asked for by someone, who would not
// expect the build to be here.
func localEngine(cli command.Cli) bool {
	return strings.HasPrefix(cli.DockerEndpoint().Host, "unix://")
}
