package inprocess

import (
	"context"
	"fmt"
	"sync"

	resolver "github.com/docker/buildx/build/resolver"
	"github.com/docker/buildx/driver"
	"github.com/docker/buildx/util/progress"
	"github.com/moby/buildkit/client"
	gwclient "github.com/moby/buildkit/frontend/gateway/client"

	"github.com/stagebuild/stagebuild/frontend"
	"github.com/stagebuild/stagebuild/frontend/gateway"
)

// Share makes the targets on one node read their inputs together, through one more build
// whose session has the files of the build contexts. Call the returned function after the
// builds of the targets: it waits until the shared builds have ended. If the daemon runs
// the frontend, each target reads its inputs by itself.
func (f *Frontend) Share(ctx context.Context, d *Distribution, pw progress.Writer) (done func()) {
	if f.image {
		return func() {}
	}
	members := map[string][]frontend.Member{}
	for _, t := range d.targets {
		for _, node := range d.nodes[t.Ref] {
			members[node.Key()] = append(members[node.Key()], frontend.Member{
				Stage:         t.Stage,
				Platforms:     formatAll(node.Platforms()),
				MultiPlatform: len(d.nodes[t.Ref]) > 1,
			})
		}
	}
	shared := map[string]*sharedBuild{}
	f.shared = map[partID]*sharedBuild{}
	for _, t := range d.targets {
		for _, node := range d.nodes[t.Ref] {
			if node.Node().Driver.RequiresUncachedClient() {
				continue // each build may run on another daemon
			}
			s := shared[node.Key()]
			if s == nil {
				s = &sharedBuild{group: frontend.NewGroup(members[node.Key()]), finished: make(chan struct{})}
				s.run = func(member gwclient.Client, opts *client.SolveOpt) error { return s.share(ctx, node, member, opts, pw) }
				shared[node.Key()] = s
			}
			f.shared[partID{t.Ref, formatAll(node.Platforms())}] = s
		}
	}
	return func() {
		for _, s := range shared {
			s.close()
		}
	}
}

// sharedBuild is the build that reads the inputs of the targets on one node.
type sharedBuild struct {
	group    *frontend.Group
	run      func(gwclient.Client, *client.SolveOpt) error
	start    sync.Once
	finished chan struct{}
}

// build serves the request of one target. The first one starts the shared build.
func (s *sharedBuild) build(ctx context.Context, c gwclient.Client, opts *client.SolveOpt) (*gwclient.Result, error) {
	s.start.Do(func() {
		go func() {
			defer close(s.finished)
			if err := s.run(c, opts); err != nil {
				s.group.Fail(err)
			}
		}()
	})
	return s.group.Build(ctx, c)
}

// close ends the shared build and waits for it, if it was started.
func (s *sharedBuild) close() {
	s.group.Close()
	s.start.Do(func() { close(s.finished) })
	<-s.finished
}

// share runs the shared build with the inputs of one target, the member that began it. All
// targets have the same inputs.
func (s *sharedBuild) share(ctx context.Context, node *resolver.ResolvedNode, member gwclient.Client, target *client.SolveOpt, pw progress.Writer) error {
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
		Internal:             true, // not in the daemon's history of builds
	}, "stagebuild", s.group.Share(member.BuildOpts().Opts), ch)
	if err != nil {
		return fmt.Errorf("reading the inputs of the builds on %s: %w", node.Node().Name, err)
	}
	return nil
}

// prepared records the solve request of a part of a target.
func (f *Frontend) prepared(o *driver.PrepareBuildOptions) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.solves == nil {
		f.solves = map[partID]*client.SolveOpt{}
	}
	f.solves[partID{o.SolveOpt.Ref, formatAll(o.Platforms)}] = o.SolveOpt
}

// sharedFor returns the shared build for a request of a target, or nil if there is none,
// and the target's solve request.
func (f *Frontend) sharedFor(ref string, c gwclient.Client) (*sharedBuild, *client.SolveOpt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := partID{ref, c.BuildOpts().Opts[gateway.OptionPlatform]}
	return f.shared[id], f.solves[id]
}
