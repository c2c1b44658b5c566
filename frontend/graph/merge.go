package graph

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Merge returns the union of graphs of one file and one set of build args.
func Merge(graphs ...*Graph) *Graph {
	m := &Graph{}
	for _, g := range graphs {
		m.File = g.File
		m.Platforms = union(m.Platforms, g.Platforms)
		m.Targets = union(m.Targets, g.Targets)
	}
	m.Args = merge(graphs, func(g *Graph) []Arg { return g.Args }, func(a Arg) string { return a.Name }, mergeArgs)
	m.Globals = merge(graphs, func(g *Graph) []Globals { return g.Globals }, func(s Globals) string { return s.Platform }, first)
	m.Nodes = merge(graphs, func(g *Graph) []*Node { return g.Nodes }, func(n *Node) string { return n.ID }, mergeNodes)
	m.Edges = merge(graphs, m.edgesOf, (*Edge).key, mergeEdges)
	m.removeUnused()
	m.finish()
	return m
}

// edgesOf returns the edges of one of the graphs that g has merged the nodes of, as far as
// they hold in g: where a condition asks for TARGETSTAGE, a stage that only another target
// reaches is what it is for that one.
func (g *Graph) edgesOf(one *Graph) []*Edge {
	if len(one.Targets) == len(g.Targets) { // the targets are those of all graphs
		return one.Edges
	}
	reached := func(in *Graph, id, platform string) bool {
		n := in.Node(id)
		return n != nil && slices.Contains(n.ReachedOn(), platform)
	}
	var edges []*Edge
	for _, e := range one.Edges {
		holds := *e
		holds.Platforms = slices.DeleteFunc(slices.Clone(e.Platforms), func(platform string) bool {
			return reached(g, e.Stage, platform) && !reached(one, e.Stage, platform)
		})
		if len(holds.Platforms) > 0 {
			edges = append(edges, &holds)
		}
	}
	return edges
}

// merge returns the parts of graphs, those of one key as one.
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

// removeUnused removes nodes that only existed for dropped edges: nodes that are not
// reached, are no stage of the file for the target platform, and that no other node uses.
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
		added := n.Kind != Stage || n.Platform != ""
		if !added || slices.ContainsFunc(n.Outcomes, func(f Outcome) bool { return f.State != Unreached }) {
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

// first is what several targets share on one platform. Where a condition asks for
// TARGETSTAGE it is that of the first target, as the values of the args are.
func first(a, _ Globals) Globals { return a }

func mergeNodes(a, b *Node) *Node {
	n := *a
	n.Outcomes = slices.Clone(a.Outcomes)
	for _, outcome := range b.Outcomes {
		i := slices.IndexFunc(n.Outcomes, func(f Outcome) bool { return f.Platform == outcome.Platform })
		switch {
		case i < 0:
			n.Outcomes = append(n.Outcomes, outcome)
		case outcome.State == Reached && n.Outcomes[i].State != Reached: // by another target
			n.Outcomes[i] = outcome
		}
	}
	return &n
}

// edgeKey is what an edge has whatever the platform is.
type edgeKey struct {
	stage, uses, kind, reference string
	line                         int
}

func (e *Edge) key() edgeKey {
	return edgeKey{e.Stage, e.Uses, e.Kind, e.Reference, e.Line}
}

func mergeEdges(a, b *Edge) *Edge {
	e := *a
	e.Platforms = union(a.Platforms, b.Platforms)
	return &e
}

// union returns the members of both lists, each once.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// finish does what takes a whole graph.
func (g *Graph) finish() {
	g.sort()
	g.relate()
}

// relate sets ReachedAs of the stages that are only reached for another platform.
func (g *Graph) relate() {
	type place struct {
		stage, platform string
	}
	reached := map[place][]string{}
	for _, n := range g.Nodes {
		for _, platform := range n.ReachedOn() {
			at := place{n.subject(), platform}
			reached[at] = append(reached[at], n.ID)
		}
	}
	for i, n := range g.Nodes {
		others := func(f Outcome) []string {
			if n.Kind != Stage || f.State != Unreached {
				return nil
			}
			return reached[place{n.subject(), f.Platform}]
		}
		if !slices.ContainsFunc(n.Outcomes, func(f Outcome) bool { return !slices.Equal(f.ReachedAs, others(f)) }) {
			continue
		}
		related := *n // that of a merged graph is of others, too
		related.Outcomes = slices.Clone(n.Outcomes)
		for j, f := range related.Outcomes {
			related.Outcomes[j].ReachedAs = others(f)
		}
		g.Nodes[i] = &related
	}
}

// subject returns the ID without its platform: nodes of one stage share it.
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
		return int(^uint(0) >> 1)
	}
	slices.SortStableFunc(g.Nodes, func(a, b *Node) int {
		if c := cmp.Compare(rank(a), rank(b)); c != 0 || a.Kind != Stage {
			return c
		}
		return cmp.Compare(a.Platform, b.Platform)
	})
	line := map[string]int{}
	for i, n := range g.Nodes {
		line[n.ID] = i
	}
	slices.SortStableFunc(g.Edges, func(a, b *Edge) int {
		return cmp.Or(cmp.Compare(line[a.Stage], line[b.Stage]), cmp.Compare(a.Line, b.Line))
	})
}
