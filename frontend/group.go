package frontend

import (
	"context"
	"maps"
	"sync"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/stagebuild/stagebuild/frontend/gateway"
	"github.com/stagebuild/stagebuild/llb"
	"golang.org/x/sync/errgroup"
)

// Member is what tells one request of a [Group] from the others.
type Member struct {
	// Stage is the target stage's name, or "" for the file's default.
	Stage string
	// Platforms are the target platforms as in the request's option, separated
	// by commas: "" for the builder's own.
	Platforms string
	// MultiPlatform is set when the result is to be an index, however many
	// platforms there are.
	MultiPlatform bool
}

// Group serves several requests for one file on one daemon, each for a build of
// its own. They are read through one more build, which goes on until [Group.Close]:
// the file, its ignore file and the config of a base image are asked for once, and
// what the members take of a local build context is sent once. The build of a member
// reads what was read for it too, once the daemon has it.
type Group struct {
	members []Member
	first   chan map[string]string // the options of a member
	done    chan struct{}

	settled     sync.Once
	ready       chan struct{} // closed when what stands below is set
	conversions map[Member]*outcome
	err         error
}

// outcome is a member's conversion and what was read for it, or why there is none.
type outcome struct {
	conversion *conversion
	read       *gateway.Record
	err        error
}

// NewGroup returns a group of the given members.
func NewGroup(members []Member) *Group {
	return &Group{
		members: members,
		first:   make(chan map[string]string, 1),
		done:    make(chan struct{}),
		ready:   make(chan struct{}),
	}
}

// Close ends the build that is read through, once all members are built.
func (g *Group) Close() {
	close(g.done)
}

// Fail tells the members that there is no build to read through.
func (g *Group) Fail(err error) {
	g.settled.Do(func() {
		g.err = err
		close(g.ready)
	})
}

// Share is the gateway build function of the build that is read through. Its
// result is empty.
func (g *Group) Share(ctx context.Context, c client.Client) (*client.Result, error) {
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-g.done:
		return client.NewResult(), nil
	case opts := <-g.first:
		conversions, locals := g.convert(ctx, gateway.NewCache(c), opts)
		g.settled.Do(func() {
			g.conversions = conversions
			close(g.ready)
		})
		hold(ctx, c, locals)
	}
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-g.done:
		return client.NewResult(), nil
	}
}

// Build is the gateway build function of a member.
func (g *Group) Build(ctx context.Context, c client.Client) (*client.Result, error) {
	opts := c.BuildOpts().Opts
	select {
	case g.first <- opts:
	default: // another member's options are the same
	}
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-g.ready:
	}
	if g.err != nil {
		return nil, g.err
	}
	member, ok := g.conversions[memberOf(opts)]
	if !ok {
		return Build(ctx, c)
	}
	if member.err != nil {
		return nil, member.err
	}
	if member.read.Replay(ctx, c) != nil {
		return Build(ctx, c) // it has changed since, or says what is wrong by itself
	}
	return member.conversion.solve(ctx, c)
}

func memberOf(opts map[string]string) Member {
	return Member{
		Stage:         opts[gateway.OptionTarget],
		Platforms:     opts[gateway.OptionPlatform],
		MultiPlatform: opts[gateway.OptionMultiPlatform] == "true",
	}
}

// maxConversions bounds how many files are converted at once.
const maxConversions = 16

// convert converts every member, and returns what they take of local sources.
func (g *Group) convert(ctx context.Context, shared *gateway.Cache, opts map[string]string) (map[Member]*outcome, *llb.Locals) {
	conversions := make(map[Member]*outcome, len(g.members))
	for _, m := range g.members {
		conversions[m] = &outcome{read: gateway.NewRecord(shared)}
	}
	warned := &warnings{}
	var eg errgroup.Group
	eg.SetLimit(maxConversions)
	for m, o := range conversions {
		eg.Go(func() error {
			o.conversion, o.err = convert(ctx, gateway.Override(o.read, m.options(opts)), warned)
			return nil
		})
	}
	_ = eg.Wait() // each has an error of its own

	locals := &llb.Locals{}
	for _, m := range g.members {
		if o := conversions[m]; o.err == nil {
			o.err = o.conversion.share(locals)
		}
	}
	return conversions, locals
}

// share adds what the conversion takes of local sources.
func (conv *conversion) share(locals *llb.Locals) error {
	conv.locals = locals
	for _, res := range conv.targets {
		if err := locals.Add(res.Definition); err != nil {
			return err
		}
	}
	for _, n := range conv.needs {
		if err := locals.Add(n.Definition); err != nil {
			return err
		}
	}
	return nil
}

// hold has the daemon load local sources: they stay loaded for as long as the
// build of c goes on.
func hold(ctx context.Context, c client.Client, locals *llb.Locals) {
	var eg errgroup.Group
	defs, err := locals.Definitions()
	if err != nil {
		return // no member can be built then, and each says so
	}
	for _, def := range defs {
		eg.Go(func() error {
			_, err := c.Solve(ctx, client.SolveRequest{Definition: def, Evaluate: true})
			return err
		})
	}
	_ = eg.Wait() // the members that use the source meet the same error
}

// options returns a request's options as this member has them.
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
