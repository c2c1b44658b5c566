package inprocess

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	resolver "github.com/docker/buildx/build/resolver"
	"github.com/docker/buildx/builder"
	"github.com/docker/buildx/util/progress"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Target is one of the builds of a command.
type Target struct {
	// Ref identifies the build (build.Options.Ref).
	Ref       string
	Stage     string
	Platforms []ocispecs.Platform
}

// Distribution is the distribution of targets over the nodes of a builder.
type Distribution struct {
	// Calls are the Refs of the targets, grouped by calls of buildx's pipeline. In such a
	// call, each target has the nodes that it would have in a call of its own.
	Calls [][]string
	// Failed has the errors of the other targets, for which no node is available, by Ref.
	Failed map[string]error

	targets []Target                            // of Calls
	nodes   map[string][]*resolver.ResolvedNode // of each target, by Ref
}

// Distribute distributes each target over the nodes as buildx does.
func Distribute(ctx context.Context, nodes []builder.Node, targets []Target, pw progress.Writer) *Distribution {
	nodes = slices.DeleteFunc(slices.Clone(nodes), func(n builder.Node) bool { return n.Err != nil || n.Driver == nil })
	d := &Distribution{Failed: map[string]error{}, nodes: map[string][]*resolver.ResolvedNode{}}
	byPlatforms := map[string]*platformGroup{}
	var groups []*platformGroup
	for _, t := range targets {
		key := formatAll(t.Platforms)
		g := byPlatforms[key]
		if g == nil {
			g = &platformGroup{platforms: t.Platforms}
			// Resolve one group after another: two would both start a node's container.
			g.nodes, g.err = resolver.Resolve(ctx, nodes, t.Platforms, pw)
			byPlatforms[key] = g
			groups = append(groups, g)
		}
		if g.err != nil {
			d.Failed[t.Ref] = g.err
			continue
		}
		g.refs = append(g.refs, t.Ref)
		d.targets = append(d.targets, t)
		d.nodes[t.Ref] = g.nodes
	}
	groups = slices.DeleteFunc(groups, func(g *platformGroup) bool { return g.err != nil })
	if isSameTogether(ctx, nodes, groups, pw) {
		groups = []*platformGroup{merge(groups)}
	}
	for _, g := range groups {
		d.Calls = append(d.Calls, g.refs)
	}
	return d
}

// platformGroup has the targets for the same platforms, and their nodes.
type platformGroup struct {
	platforms []ocispecs.Platform
	refs      []string
	nodes     []*resolver.ResolvedNode
	err       error
}

// merge returns a group with the targets of all groups.
func merge(groups []*platformGroup) *platformGroup {
	all := &platformGroup{}
	for _, g := range groups {
		all.refs = append(all.refs, g.refs...)
	}
	return all
}

// isSameTogether reports whether buildx gives several groups in one call the nodes that
// each has by itself. If no node declares one platform of a call, buildx also considers the
// platforms that the nodes emulate, for all targets of the call. A target could then move
// to a node that emulates its platform.
func isSameTogether(ctx context.Context, nodes []builder.Node, groups []*platformGroup, pw progress.Writer) bool {
	if len(groups) < 2 {
		return false
	}
	all := map[string][]ocispecs.Platform{}
	for _, g := range groups {
		all[formatAll(g.platforms)] = g.platforms
	}
	resolved, err := resolver.ResolveAll(ctx, nodes, all, pw)
	return err == nil && !slices.ContainsFunc(groups, func(g *platformGroup) bool {
		return formatNodes(resolved[formatAll(g.platforms)]) != formatNodes(g.nodes)
	})
}

// formatNodes lists nodes and the platforms that each builds for.
func formatNodes(nodes []*resolver.ResolvedNode) string {
	var b strings.Builder
	for _, n := range nodes {
		fmt.Fprintf(&b, "%s: %s\n", n.Key(), formatAll(n.Platforms()))
	}
	return b.String()
}

// partID identifies the part of a target that one node builds.
type partID struct{ ref, platforms string }

// formatAll formats platforms as in a frontend's option.
func formatAll(list []ocispecs.Platform) string {
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = platforms.FormatAll(p)
	}
	return strings.Join(names, ",")
}
