package graph

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/source"
)

// Merge returns the union of graphs of one parsed file and one set of build args. Graphs
// that were read from JSON cannot be merged, because they have no spans.
func Merge(graphs ...*Graph) *Graph {
	m := &Graph{}
	for _, g := range graphs {
		m.File = g.File
		m.Platforms = union(m.Platforms, g.Platforms)
		m.Targets = union(m.Targets, g.Targets)
	}
	m.Args = merge(graphs, func(g *Graph) []Arg { return g.Args }, func(a Arg) string { return a.Name }, mergeArgs)
	m.Globals = merge(graphs, func(g *Graph) []Globals { return g.Globals }, func(s Globals) string { return s.Platform }, firstGlobals)
	m.Nodes = merge(graphs, func(g *Graph) []*Node { return g.Nodes }, func(n *Node) string { return n.ID }, mergeNodes)
	m.Edges = merge(graphs, m.edgesOf, (*Edge).key, mergeEdges)
	m.removeUnused()
	m.finish()
	return m
}

// edgesOf returns the edges of one of the merged graphs. It removes an edge for the
// platforms where only another target reaches the stage: if a condition uses TARGETSTAGE,
// the stage's references can differ, and those of the target that reaches it count.
func (g *Graph) edgesOf(one *Graph) []*Edge {
	if len(one.Targets) == len(g.Targets) { // all graphs have the same targets
		return one.Edges
	}
	isReached := func(in *Graph, id, platform string) bool {
		n := in.Node(id)
		return n != nil && slices.Contains(n.ReachedOn(), platform)
	}
	var edges []*Edge
	for _, e := range one.Edges {
		kept := *e
		kept.Platforms = slices.DeleteFunc(slices.Clone(e.Platforms), func(platform string) bool {
			return isReached(g, e.Stage, platform) && !isReached(one, e.Stage, platform)
		})
		if len(kept.Platforms) > 0 {
			edges = append(edges, &kept)
		}
	}
	return edges
}

// merge returns the parts of all graphs. It joins parts that have the same key.
func merge[T any, K comparable](graphs []*Graph, parts func(*Graph) []T, key func(T) K, join func(a, b T) T) []T {
	merged, index := []T{}, map[K]int{}
	for _, g := range graphs {
		for _, part := range parts(g) {
			k := key(part)
			i, known := index[k]
			if !known {
				index[k] = len(merged)
				merged = append(merged, part)
				continue
			}
			merged[i] = join(merged[i], part)
		}
	}
	return merged
}

// removeUnused removes the nodes that only the edges removed by edgesOf used. It keeps
// reached nodes, the stages for the target platform, and every node that these use.
func (g *Graph) removeUnused() {
	uses := usesOf(g)
	kept := map[string]bool{}
	var keep func(id string)
	keep = func(id string) {
		if kept[id] {
			return
		}
		kept[id] = true
		for _, e := range uses[id] {
			keep(e.Uses)
		}
	}
	for _, n := range g.Nodes {
		if n.Kind == Stage && n.Platform == "" || slices.ContainsFunc(n.Outcomes, func(o Outcome) bool { return o.State != Unreached }) {
			keep(n.ID)
		}
	}
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n *Node) bool { return !kept[n.ID] })
	g.Edges = slices.DeleteFunc(g.Edges, func(e *Edge) bool { return !kept[e.Stage] })
}

func mergeArgs(a, b Arg) Arg {
	values := maps.Clone(b.Values)
	maps.Copy(values, a.Values)
	a.Values = values
	a.Given = a.Given || b.Given
	return a
}

// firstGlobals returns the globals of the first target, as mergeArgs does with values. On
// one platform they only differ between targets if a condition uses TARGETSTAGE.
func firstGlobals(a, _ Globals) Globals { return a }

// mergeNodes returns a node with the outcomes of both. For one platform, the outcome of a
// target that reaches the node comes first.

func mergeNodes(a, b *Node) *Node {
	n := *a
	n.Outcomes = slices.Clone(a.Outcomes)
	for _, outcome := range b.Outcomes {
		i := slices.IndexFunc(n.Outcomes, func(o Outcome) bool { return o.Platform == outcome.Platform })
		switch {
		case i < 0:
			n.Outcomes = append(n.Outcomes, outcome)
		case outcome.State == Reached && n.Outcomes[i].State != Reached:
			n.Outcomes[i] = outcome
		}
	}
	return &n
}

// edgeKey identifies an edge in the graphs of all platforms.
type edgeKey struct {
	stage, uses, kind, reference string
	span                         source.Span
}

func (e *Edge) key() edgeKey {
	return edgeKey{e.Stage, e.Uses, e.Kind, e.Reference, e.Span}
}

func mergeEdges(a, b *Edge) *Edge {
	e := *a
	e.Platforms = union(a.Platforms, b.Platforms)
	return &e
}

// union returns a and the members of b that a does not have.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// finish sorts the graph, and sets the fields that depend on several nodes.
func (g *Graph) finish() {
	g.sort()
	g.setReachedAs()
}

// setReachedAs sets ReachedAs of the stages that are only reached for a platform that a
// reference names. It copies the nodes that it changes, because merged graphs share nodes.
func (g *Graph) setReachedAs() {
	type key struct {
		stage, platform string
	}
	reached := map[key][]string{} // node IDs
	for _, n := range g.Nodes {
		for _, platform := range n.ReachedOn() {
			k := key{n.subject(), platform}
			reached[k] = append(reached[k], n.ID)
		}
	}
	for i, n := range g.Nodes {
		reachedAs := func(o Outcome) []string {
			if n.Kind != Stage || o.State != Unreached {
				return nil
			}
			return reached[key{n.subject(), o.Platform}]
		}
		if !slices.ContainsFunc(n.Outcomes, func(o Outcome) bool { return !slices.Equal(o.ReachedAs, reachedAs(o)) }) {
			continue
		}
		changed := *n
		changed.Outcomes = slices.Clone(n.Outcomes)
		for j, o := range changed.Outcomes {
			changed.Outcomes[j].ReachedAs = reachedAs(o)
		}
		g.Nodes[i] = &changed
	}
}

// subject returns the ID without its platform. All nodes of a stage have the same subject.
func (n *Node) subject() string {
	subject, _, _ := strings.Cut(n.ID, "@")
	return subject
}

// sort puts the stages in file order, before the images and named contexts.
func (g *Graph) sort() {
	rank := func(n *Node) int {
		if n.Kind == Stage {
			return n.Line
		}
		return math.MaxInt
	}
	slices.SortStableFunc(g.Nodes, func(a, b *Node) int {
		if c := cmp.Compare(rank(a), rank(b)); c != 0 || a.Kind != Stage {
			return c
		}
		return cmp.Compare(a.Platform, b.Platform)
	})
	index := map[string]int{}
	for i, n := range g.Nodes {
		index[n.ID] = i
	}
	slices.SortStableFunc(g.Edges, func(a, b *Edge) int {
		return cmp.Or(cmp.Compare(index[a.Stage], index[b.Stage]), cmp.Compare(a.Line, b.Line))
	})
}
