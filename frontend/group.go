package frontend

import (
	"context"
	"maps"
	"sync"

	"github.com/moby/buildkit/frontend/gateway/client"
	"golang.org/x/sync/errgroup"

	"github.com/stagebuild/stagebuild/frontend/gateway"
	"github.com/stagebuild/stagebuild/llb"
)

// Member identifies a request of a [Group].
type Member struct {
	// Stage is the target stage's name, or "" for the file's default.
	Stage string
	// Platforms is the value of the platform option: the target platforms, separated by
	// commas, or "" for the builder's.
	Platforms string
	// MultiPlatform is set if the result is an index even for one platform.
	MultiPlatform bool
}

// Group serves several requests for one file on one daemon, each for a build of its own.
// It reads for all of them through one more build, [Group.Share], which runs until
// [Group.Close]: it requests the file, its ignore file and the config of each base image
// once, and sends the local build context once. The build of a member then repeats its
// own reads, which the daemon has cached.
type Group struct {
	members []Member
	done    chan struct{}

	settled  sync.Once
	ready    chan struct{} // closed when prepared or err is set
	prepared map[Member]*preparedMember
	err      error
}

// preparedMember is the outcome of a member's request, or its error, with its reads.
type preparedMember struct {
	outcome outcome
	reads   *gateway.Record
	err     error
}

// NewGroup returns a group of the given members.
func NewGroup(members []Member) *Group {
	return &Group{
		members: members,
		done:    make(chan struct{}),
		ready:   make(chan struct{}),
	}
}

// Close ends the build of [Group.Share]. Call it when all members are built.
func (g *Group) Close() {
	close(g.done)
}

// Fail fails the members because the build of [Group.Share] failed.
func (g *Group) Fail(err error) {
	g.settled.Do(func() {
		g.err = err
		close(g.ready)
	})
}

// Share returns the gateway build function of the build that the group reads through. Its
// result is empty. The options and the session of that build must come from the same
// member: an option can name a part of the session, such as an archive on standard input.
func (g *Group) Share(opts map[string]string) client.BuildFunc {
	return func(ctx context.Context, c client.Client) (*client.Result, error) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		prepared, locals := g.prepare(ctx, gateway.NewCache(c), opts)
		g.settled.Do(func() {
			g.prepared = prepared
			close(g.ready)
		})
		loadLocals(ctx, c, locals)
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-g.done:
			return client.NewResult(), nil
		}
	}
}

// Build is the gateway build function of a member.
func (g *Group) Build(ctx context.Context, c client.Client) (*client.Result, error) {
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-g.ready:
	}
	if g.err != nil {
		return nil, g.err
	}
	member, ok := g.prepared[memberOf(c.BuildOpts().Opts)]
	if !ok {
		return Build(ctx, c)
	}
	if member.err != nil {
		return nil, member.err
	}
	if member.reads.Replay(ctx, c) != nil {
		return Build(ctx, c) // an image has changed, or Build reports the same error
	}
	return member.outcome.solve(ctx, c)
}

func memberOf(opts map[string]string) Member {
	return Member{
		Stage:         opts[gateway.OptionTarget],
		Platforms:     opts[gateway.OptionPlatform],
		MultiPlatform: opts[gateway.OptionMultiPlatform] == "true",
	}
}

// prepare prepares the request of every member, and returns their local sources.
func (g *Group) prepare(ctx context.Context, shared *gateway.Cache, opts map[string]string) (map[Member]*preparedMember, *llb.Locals) {
	prepared := make(map[Member]*preparedMember, len(g.members))
	for _, m := range g.members {
		prepared[m] = &preparedMember{reads: gateway.NewRecord(shared)}
	}
	sent := &sentWarnings{}
	var eg errgroup.Group
	eg.SetLimit(maxConversions)
	for m, p := range prepared {
		eg.Go(func() error {
			p.outcome, p.err = prepare(ctx, gateway.Override(p.reads, m.options(opts)), sent)
			return nil
		})
	}
	_ = eg.Wait() // every member has its own error

	locals := &llb.Locals{}
	for _, m := range g.members {
		if p := prepared[m]; p.err == nil {
			p.err = p.outcome.shareLocals(locals)
		}
	}
	return prepared, locals
}

// loadLocals has the daemon load local sources. They stay loaded until the build of c
// ends.
func loadLocals(ctx context.Context, c client.Client, locals *llb.Locals) {
	var eg errgroup.Group
	defs, err := locals.Definitions()
	if err != nil {
		return // every member that uses them reports the error
	}
	for _, def := range defs {
		eg.Go(func() error {
			_, err := c.Solve(ctx, client.SolveRequest{Definition: def, Evaluate: true})
			return err
		})
	}
	_ = eg.Wait() // every member that uses the source reports the error
}

// options returns the options of a request with those of this member.
func (m Member) options(opts map[string]string) map[string]string {
	own := maps.Clone(opts)
	for key, value := range map[string]string{gateway.OptionTarget: m.Stage, gateway.OptionPlatform: m.Platforms} {
		delete(own, key)
		if value != "" {
			own[key] = value
		}
	}
	delete(own, gateway.OptionMultiPlatform)
	if m.MultiPlatform {
		own[gateway.OptionMultiPlatform] = "true"
	}
	return own
}
