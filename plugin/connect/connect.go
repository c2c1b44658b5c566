// Package connect finds the builder that a build runs on.
//
// [Choose] decides which of the ways to name a builder counts, from the command
// line and the environment alone; [Connect] turns its choice into the nodes
// that buildx's pipeline builds on, or into an [Error] that helps. Where nothing
// was chosen and no Docker Engine runs, it uses the private daemon of package
// daemon.
package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/docker/buildx/builder"
	"github.com/docker/buildx/driver"
	remoteutil "github.com/docker/buildx/driver/remote/util"
	"github.com/docker/buildx/policy"
	"github.com/docker/buildx/store"
	"github.com/docker/buildx/store/storeutil"
	"github.com/docker/buildx/util/confutil"
	"github.com/docker/buildx/util/dockerutil/dockerconfig"
	"github.com/docker/buildx/util/imagetools"
	"github.com/docker/cli/cli/command"
	control "github.com/moby/buildkit/api/services/control"
	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/sirupsen/logrus"
	"google.golang.org/grpc/codes"

	"github.com/stagebuild/stagebuild/plugin/daemon"
)

// answerTimeout bounds how long a remote daemon may take to answer.
const answerTimeout = 10 * time.Second

// hostBuilder is the name of the builder that BUILDKIT_HOST stands for, in
// progress output and in buildx's records of builds.
const hostBuilder = "buildkit-host"

// Builder is a builder that is ready for buildx's pipeline.
type Builder struct {
	// Name and Driver are what buildx calls it ("default", "docker").
	Name, Driver string
	Nodes        []builder.Node

	lease *daemon.Lease // nil unless it is the private daemon
}

// Close says that the builder is used no more.
func (b *Builder) Close() {
	if b.lease == nil {
		return
	}
	if err := b.lease.Close(); err != nil {
		// The end of the process gives the lease back, too.
		logrus.Debugf("giving the private daemon back: %v", err)
	}
}

// Connect loads the nodes of the chosen builder, which the caller closes. The
// context path of the build picks the node of a Kubernetes builder that already
// has the context's cache. Notices get a line about a private daemon. An
// unreachable builder is an [*Error].
func Connect(ctx context.Context, cli command.Cli, choice Choice, contextPath string, notices io.Writer) (*Builder, error) {
	if choice.Source == HostEnv {
		return connectHost(ctx, cli, choice.Value)
	}
	if choice.Value == daemon.Name {
		names, err := Names(cli)
		if err != nil {
			return nil, err
		}
		// A builder that buildx knows by the name is what buildx means by it.
		if !slices.Contains(names, daemon.Name) {
			return connectNamedDaemon(ctx, cli, choice.Source, notices)
		}
	}
	b, err := connectStored(ctx, cli, choice, contextPath)
	if e, ok := errors.AsType[*Error](err); ok && e.Source == DockerEngine && !e.Missing && localEngine(cli) {
		return connectInstead(ctx, cli, e, notices)
	}
	return b, err
}

// Names lists the builders of buildx's store and the docker contexts, sorted.
func Names(cli command.Cli) ([]string, error) {
	txn, release, err := storeutil.GetStore(cli)
	if err != nil {
		return nil, err
	}
	defer release()
	groups, err := txn.List()
	if err != nil {
		return nil, err
	}
	contexts, err := cli.ContextStore().List()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, g := range groups {
		names = append(names, g.Name)
	}
	for _, c := range contexts {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// connectStored loads a builder of buildx's store, or the engine of a docker
// context, which buildx treats as a builder of the context's name.
func connectStored(ctx context.Context, cli command.Cli, choice Choice, contextPath string) (*Builder, error) {
	// "." is another context in each folder.
	if abs, err := filepath.Abs(contextPath); err == nil {
		contextPath = abs
	}
	b, err := builder.New(cli,
		builder.WithName(choice.Value),
		builder.WithContextPathHash(contextPath),
	)
	if isOtherContext(cli, choice.Value) {
		return nil, &Error{Source: choice.Source, Name: choice.Value, Context: true, Err: errOtherContext}
	}
	if err != nil && choice.Source == CurrentStore {
		// There is no current builder, and no docker context that buildx could use instead.
		return nil, &Error{Source: DockerEngine, Name: cli.CurrentContext(), Missing: true, Err: err}
	}
	if err != nil {
		return nil, &Error{Source: choice.Source, Name: choice.Value, Missing: true, Err: err}
	}
	if choice.Source == CurrentStore {
		choice.Value = b.Name
		if b.DockerContext {
			choice.Source = DockerEngine
		}
	}
	if err := touch(cli, b.NodeGroup); err != nil {
		return nil, err
	}
	verifier := policy.DefaultImageVerifier(confutil.NewConfig(cli))
	nodes, err := b.LoadNodes(ctx, builder.WithImageVerifier(verifier))
	if err == nil {
		err = reachable(ctx, nodes)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &Error{Source: choice.Source, Name: choice.Value, Err: err}
	}
	return &Builder{Name: b.Name, Driver: b.Driver, Nodes: nodes}, nil
}

// errOtherContext is why a docker context is no builder for buildx, whose words
// are about itself.
var errOtherContext = errors.New("a docker context, and not the current one")

// isOtherContext reports whether name is a docker context that is not the current
// one. A builder cannot have such a name.
func isOtherContext(cli command.Cli, name string) bool {
	if name == "" || name == cli.CurrentContext() {
		return false
	}
	_, err := cli.ContextStore().GetMetadata(name)
	return err == nil
}

// touch notes in buildx's store that the builder was used.
func touch(cli command.Cli, group *store.NodeGroup) error {
	txn, release, err := storeutil.GetStore(cli)
	if err != nil {
		return err
	}
	defer release()
	if err := txn.UpdateLastActivity(group); err != nil {
		return fmt.Errorf("noting the builder's last use: %w", err)
	}
	return nil
}

// connectHost makes a builder for the daemon that BUILDKIT_HOST names.
func connectHost(ctx context.Context, cli command.Cli, address string) (*Builder, error) {
	if err := remoteutil.IsValidEndpoint(address); err != nil {
		return nil, fmt.Errorf("%s=%s is no address of a BuildKit daemon (unix://PATH, tcp://HOST:PORT): %w", HostEnv, address, err)
	}
	b, err := connectAddress(ctx, cli, hostBuilder, address)
	if err != nil {
		return nil, &Error{Source: HostEnv, Name: address, Err: err}
	}
	return b, nil
}

// connectAddress makes a builder of one node for the daemon at an address. It is
// not saved, and neither asks the store nor the docker engine anything.
func connectAddress(ctx context.Context, cli command.Cli, name, address string) (*Builder, error) {
	factory, err := driver.GetFactory("remote", true)
	if err != nil {
		return nil, err
	}
	auth := dockerconfig.LoadAuthConfig(cli)
	handle, err := driver.GetDriver(ctx, factory, driver.InitConfig{
		Name:         name,
		EndpointAddr: address,
		ContextStore: cli.ContextStore(),
		Auth:         auth,
	})
	if err != nil {
		return nil, err
	}
	node := builder.Node{
		Node:        store.Node{Name: name + "0", Endpoint: address},
		Builder:     name,
		Driver:      handle,
		ImageOpt:    imagetools.Opt{Auth: auth},
		ProxyConfig: proxies(cli, address),
	}
	if err := reachable(ctx, []builder.Node{node}); err != nil {
		return nil, err
	}
	return &Builder{Name: name, Driver: factory.Name(), Nodes: []builder.Node{node}}, nil
}

// proxies are the build args that the user's docker configuration sets for the
// daemon at an address.
func proxies(cli command.Cli, address string) map[string]string {
	args := map[string]string{}
	for k, v := range cli.ConfigFile().ParseProxyConfig(address, nil) {
		if v != nil {
			args[k] = *v
		}
	}
	return args
}

// reachable returns nil if some node can be built on, so that an unreachable
// builder is found out at once: buildx waits for one twice, 20 seconds each.
func reachable(ctx context.Context, nodes []builder.Node) error {
	var errs []error
	for _, n := range nodes {
		err := n.Err
		if err == nil {
			err = probe(ctx, n)
		}
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		return errors.New("it has no nodes")
	}
	return errors.Join(errs...)
}

// probe asks whether one node can be reached, where that is quick to find out.
// A container that is not running yet can be: buildx starts it.
func probe(ctx context.Context, n builder.Node) error {
	switch n.Driver.Factory().Name() {
	case "remote":
		if !strings.HasPrefix(n.Endpoint, "unix:") && !strings.HasPrefix(n.Endpoint, "tcp:") {
			// The other schemes start a process (ssh, docker, kubectl).
			return nil
		}
		return answers(ctx, n)
	case "docker-container":
		_, err := n.Driver.Info(ctx)
		return err
	}
	return nil
}

// answers asks the daemon of a remote node for a sign of life: what accepts a
// connection may be something else, or have nothing behind it.
func answers(ctx context.Context, n builder.Node) error {
	limited, cancel := context.WithTimeoutCause(ctx, answerTimeout, fmt.Errorf("no answer within %s", answerTimeout))
	defer cancel()
	// What a plain connection fails with says more than gRPC does of it.
	conn, err := n.Driver.Dial(limited)
	if err != nil {
		return err
	}
	if err := conn.Close(); err != nil {
		return err
	}
	// The client stays with the node, and so does not end with the limit.
	c, err := n.Driver.Client(ctx)
	if err != nil {
		return err
	}
	_, err = c.ControlClient().Info(limited, &control.InfoRequest{})
	switch {
	case err == nil, grpcerrors.Code(err) == codes.Unimplemented: // BuildKit before 0.11 has no such call
		return nil
	case limited.Err() != nil:
		return context.Cause(limited)
	}
	return err
}
