package inprocess

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/containerd/platforms"
	resolver "github.com/docker/buildx/build/resolver"
	"github.com/docker/buildx/builder"
	"github.com/docker/buildx/driver"
	"github.com/docker/buildx/util/progress"
	"github.com/moby/buildkit/client"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/frontend"
	"github.com/stagebuild/stagebuild/frontend/gateway"
)

// Target is a build of buildx's pipeline, and what tells it from the others of a
// command.
type Target struct {
	// Ref identifies the build (build.Options.Ref).
	Ref       string
	Stage     string
	Platforms []ocispecs.Platform
}

// Share has the targets of a command read their inputs together: on each node of
// the builder through one more build and its session, which has the files of the
// build contexts. The targets are to be built while the returned function has not
// been called. It waits for the builds that were shared. A frontend that the daemon
// runs reads for each target by itself.
//
// A target whose nodes are not all there has failed: failed has why, by its Ref.
func (f *Frontend) Share(ctx context.Context, nodes []builder.Node, targets []Target, pw progress.Writer) (done func(), failed map[string]error) {
	if f.image {
		return func() {}, nil
	}
	split, failed := splitAll(ctx, nodes, targets, pw)
	members := map[string][]frontend.Member{}
	for _, t := range targets {
		for _, node := range split[t.Ref] {
			members[node.Key()] = append(members[node.Key()], frontend.Member{
				Stage:         t.Stage,
				Platforms:     formatAll(node.Platforms()),
				MultiPlatform: len(split[t.Ref]) > 1,
			})
		}
	}
	shared := map[string]*sharedBuild{}
	f.shared = map[partID]*sharedBuild{}
	for _, t := range targets {
		for _, node := range split[t.Ref] {
			if node.Node().Driver.RequiresUncachedClient() {
				continue // each build may be on another daemon
			}
			s := shared[node.Key()]
			if s == nil {
				s = &sharedBuild{group: frontend.NewGroup(members[node.Key()]), finished: make(chan struct{})}
				s.run = func(opts *client.SolveOpt) error { return s.share(ctx, node, opts, pw) }
				shared[node.Key()] = s
			}
			f.shared[partID{t.Ref, formatAll(node.Platforms())}] = s
		}
	}
	return func() {
		for _, s := range shared {
			s.close()
		}
	}, failed
}

// splitAll says how buildx will split the platforms of each target over the nodes,
// or why it cannot, by Ref. It looks at no node that only other targets need, as
// buildx does for one build, and at one node after the other: two would both start
// its container.
func splitAll(ctx context.Context, nodes []builder.Node, targets []Target, pw progress.Writer) (split map[string][]*resolver.ResolvedNode, failed map[string]error) {
	split, failed = map[string][]*resolver.ResolvedNode{}, map[string]error{}
	first := map[string]string{} // the target that was split, by platforms
	for _, t := range targets {
		key := formatAll(t.Platforms)
		same, ok := first[key]
		if ok {
			split[t.Ref] = split[same]
			if err := failed[same]; err != nil {
				failed[t.Ref] = err
			}
			continue
		}
		first[key] = t.Ref
		list, err := resolver.Resolve(ctx, nodes, t.Platforms, pw)
		if err != nil {
			failed[t.Ref] = err
			continue
		}
		split[t.Ref] = list
	}
	return split, failed
}

// partID identifies what one node builds of a target.
type partID struct{ ref, platforms string }

// formatAll formats platforms as in a frontend's option.
func formatAll(list []ocispecs.Platform) string {
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = platforms.FormatAll(p)
	}
	return strings.Join(names, ",")
}

// sharedBuild is the build through which the targets on one node are read.
type sharedBuild struct {
	group    *frontend.Group
	run      func(*client.SolveOpt) error
	start    sync.Once
	finished chan struct{}
}

// build serves one of the targets.
func (s *sharedBuild) build(ctx context.Context, c gwclient.Client, opts *client.SolveOpt) (*gwclient.Result, error) {
	s.start.Do(func() {
		go func() {
			defer close(s.finished)
			if err := s.run(opts); err != nil {
				s.group.Fail(err)
			}
		}()
	})
	return s.group.Build(ctx, c)
}

// close ends the build, if one was ever begun.
func (s *sharedBuild) close() {
	s.group.Close()
	s.start.Do(func() { close(s.finished) })
	<-s.finished
}

// share runs the build with the inputs of one of the targets: those of the others
// are the same.
func (s *sharedBuild) share(ctx context.Context, node *resolver.ResolvedNode, target *client.SolveOpt, pw progress.Writer) error {
	c, err := node.Client(ctx)
	if err != nil {
		return err
	}
	ch, done := progress.NewChannel(pw)
	defer func() { <-done }()
	_, err = c.Build(ctx, client.SolveOpt{
		LocalMounts:          target.LocalMounts,
		OCIStores:            target.OCIStores,
		SharedKey:            target.SharedKey,
		Session:              target.Session,
		AllowedEntitlements:  target.AllowedEntitlements,
		SourcePolicy:         target.SourcePolicy,
		SourcePolicyProvider: target.SourcePolicyProvider,
		ProxyNetwork:         target.ProxyNetwork,
		Internal:             true, // no build of its own in the daemon's history
	}, "stagebuild", s.group.Share, ch)
	if err != nil {
		return fmt.Errorf("reading what is built on %s: %w", node.Node().Name, err)
	}
	return nil
}

// prepared notes how buildx set up what a node builds of a target.
func (f *Frontend) prepared(o *driver.PrepareBuildOptions) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.solves == nil {
		f.solves = map[partID]*client.SolveOpt{}
	}
	f.solves[partID{o.SolveOpt.Ref, formatAll(o.Platforms)}] = o.SolveOpt
}

// sharedFor returns the build through which a request of a target is read, and
// the target's own options: nil when it reads by itself.
func (f *Frontend) sharedFor(ref string, c gwclient.Client) (*sharedBuild, *client.SolveOpt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := partID{ref, c.BuildOpts().Opts[gateway.OptionPlatform]}
	return f.shared[id], f.solves[id]
}
