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

// hostBuilder is the name of the builder for BUILDKIT_HOST in progress output and
// in buildx's records of builds.
const hostBuilder = "buildkit-host"

// Builder is a builder that is ready for buildx's pipeline.
type Builder struct {
	// Name and Driver are buildx's names, such as "default" and "docker".
	Name, Driver string
	Nodes        []builder.Node

	lease *daemon.Lease // of the private daemon, else nil
}

// Close releases the private daemon, if the builder is that.
func (b *Builder) Close() {
	if b.lease == nil {
		return
	}
	if err := b.lease.Close(); err != nil {
		// The end of the process releases the lease, too.
		logrus.Debugf("releasing the private daemon: %v", err)
	}
}

// Connect loads the nodes of the chosen builder. The caller closes the builder. A
// Kubernetes builder uses the build's context path to pick the node that has the
// context's cache. Connect writes a line to notices if it uses the private daemon,
// and returns an [*Error] if the builder is unreachable.
func Connect(ctx context.Context, cli command.Cli, choice Choice, contextPath string, notices io.Writer) (*Builder, error) {
	if choice.Source == HostEnv {
		return connectHost(ctx, cli, choice.Value)
	}
	if choice.Value == daemon.Name {
		names, err := Names(cli)
		if err != nil {
			return nil, err
		}
		// A buildx builder or docker context of that name takes precedence.
		if !slices.Contains(names, daemon.Name) {
			return connectNamedDaemon(ctx, cli, choice.Source, notices)
		}
	}
	b, err := connectStored(ctx, cli, choice, contextPath)
	if e, ok := errors.AsType[*Error](err); ok && e.Source == DockerEngine && !e.Missing && isLocalEngine(cli) {
		return connectFallback(ctx, cli, e, notices)
	}
	return b, err
}

// Names returns the sorted names of buildx's builders and of the docker contexts.
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

// connectStored loads a builder of buildx's store or the engine of a docker
// context. For buildx, a context is a builder of the same name.
func connectStored(ctx context.Context, cli command.Cli, choice Choice, contextPath string) (*Builder, error) {
	// buildx hashes the path, and "." differs between working directories.
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
		// There is no current builder, and the docker context does not exist.
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
		err = checkReachable(ctx, nodes)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &Error{Source: choice.Source, Name: choice.Value, Err: err}
	}
	return &Builder{Name: b.Name, Driver: b.Driver, Nodes: nodes}, nil
}

// errOtherContext replaces buildx's error for a docker context that is not the
// current one, which advises to run buildx.
var errOtherContext = errors.New("this is a docker context, but not the current one")

// isOtherContext reports whether name is a docker context other than the current
// one. buildx does not allow a builder to have the name of a context.
func isOtherContext(cli command.Cli, name string) bool {
	if name == "" || name == cli.CurrentContext() {
		return false
	}
	_, err := cli.ContextStore().GetMetadata(name)
	return err == nil
}

// touch records the use of the builder in buildx's store.
func touch(cli command.Cli, group *store.NodeGroup) error {
	txn, release, err := storeutil.GetStore(cli)
	if err != nil {
		return err
	}
	defer release()
	if err := txn.UpdateLastActivity(group); err != nil {
		return fmt.Errorf("recording the builder's last use: %w", err)
	}
	return nil
}

// connectHost returns a builder for the daemon at the address in BUILDKIT_HOST.
func connectHost(ctx context.Context, cli command.Cli, address string) (*Builder, error) {
	if err := remoteutil.IsValidEndpoint(address); err != nil {
		return nil, fmt.Errorf("%s=%q is not the address of a BuildKit daemon (%w); write unix://PATH or tcp://HOST:PORT", HostEnv, address, err)
	}
	b, err := connectAddress(ctx, cli, hostBuilder, address)
	if err != nil {
		return nil, &Error{Source: HostEnv, Name: address, Err: err}
	}
	return b, nil
}

// connectAddress returns a builder with one node for the daemon at an address. The
// builder is not saved. Neither buildx's store nor the Docker Engine is used.
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
		ProxyConfig: proxyArgs(cli, address),
	}
	if err := checkReachable(ctx, []builder.Node{node}); err != nil {
		return nil, err
	}
	return &Builder{Name: name, Driver: factory.Name(), Nodes: []builder.Node{node}}, nil
}

// proxyArgs returns the proxy build args that the user's docker configuration sets
// for the daemon at an address.
func proxyArgs(cli command.Cli, address string) map[string]string {
	args := map[string]string{}
	for k, v := range cli.ConfigFile().ParseProxyConfig(address, nil) {
		if v != nil {
			args[k] = *v
		}
	}
	return args
}

// checkReachable returns nil if at least one node is reachable. Without this check
// an unreachable builder would take 40 seconds to fail: buildx waits twice.
func checkReachable(ctx context.Context, nodes []builder.Node) error {
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
		return errors.New("the builder has no nodes")
	}
	return errors.Join(errs...)
}

// probe returns an error if a quick check finds the node unreachable. A container
// that does not run yet is no error, because buildx starts it.
func probe(ctx context.Context, n builder.Node) error {
	switch n.Driver.Factory().Name() {
	case "remote":
		if !strings.HasPrefix(n.Endpoint, "unix:") && !strings.HasPrefix(n.Endpoint, "tcp:") {
			// The other schemes start a process (ssh, docker, kubectl).
			return nil
		}
		return ping(ctx, n)
	case "docker-container":
		_, err := n.Driver.Info(ctx)
		return err
	}
	return nil
}

// ping calls the daemon of a remote node. An accepted connection alone proves
// nothing: a proxy without a daemon accepts it, too.
func ping(ctx context.Context, n builder.Node) error {
	limited, cancel := context.WithTimeoutCause(ctx, answerTimeout, fmt.Errorf("no answer within %s", answerTimeout))
	defer cancel()
	// Dial first: the error of a plain connection is clearer than gRPC's.
	conn, err := n.Driver.Dial(limited)
	if err != nil {
		return err
	}
	if err := conn.Close(); err != nil {
		return err
	}
	// The node caches the client, so the client must outlive the time limit.
	c, err := n.Driver.Client(ctx)
	if err != nil {
		return err
	}
	_, err = c.ControlClient().Info(limited, &control.InfoRequest{})
	switch {
	case err == nil, grpcerrors.Code(err) == codes.Unimplemented: // before BuildKit v0.11
		return nil
	case limited.Err() != nil:
		return context.Cause(limited)
	}
	return err
}
