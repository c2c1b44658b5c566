package graph

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Write prints what the targets are made of, in lines of at most width columns where
// it can be. What does not hold for every platform is followed by those for which
// it does.
func (g *Graph) Write(w io.Writer, width int) error {
	var trees []*branch
	t := &printer{graph: g, uses: usesOf(g), shown: map[string]bool{}}
	for _, id := range g.Targets {
		n := g.Node(id)
		tree := &branch{text: n.title() + only(n.ReachedOn(), g.Platforms)}
		t.below(tree, n)
		trees = append(trees, tree)
	}
	return writeTrees(w, width, trees)
}

// printer prints the trees of a graph. What is made of several things is shown
// where it stands first.
type printer struct {
	graph *Graph
	uses  map[string][]*Edge // by the stage that they are of
	shown map[string]bool    // the stages, by ID
	// details adds what a stage has beside its edges, for a graph of one platform.
	details bool
}

// usesOf returns the edges of each stage.
func usesOf(g *Graph) map[string][]*Edge {
	uses := map[string][]*Edge{}
	for _, e := range g.Edges {
		uses[e.Stage] = append(uses[e.Stage], e)
	}
	return uses
}

// below adds what a stage is made of to its branch.
func (t *printer) below(b *branch, n *Node) {
	t.shown[n.ID] = true
	var items []item
	for _, e := range t.uses[n.ID] {
		items = append(items, item{line: e.Line, edge: e, text: t.label(e) + only(e.Platforms, n.ReachedOn())})
	}
	if t.details {
		items = t.detail(n, items)
	}
	for _, i := range items {
		child := b.add(fmt.Sprintf("line %d: %s", i.line, i.text))
		if i.edge == nil {
			continue
		}
		used := t.graph.Node(i.edge.Uses)
		switch {
		case used.Kind != Stage:
		case t.shown[used.ID] && len(t.uses[used.ID]) > 0:
			child.text += " (above)"
		default:
			t.below(child, used)
		}
	}
}

// item is a line below a stage.
type item struct {
	line int
	text string
	edge *Edge // nil for what is no reference
}

// label says what an edge leads to, as it would be written.
func (t *printer) label(e *Edge) string {
	used := t.graph.Node(e.Uses)
	separator := "="
	if e.Kind == "FROM" {
		separator = " "
	}
	text := e.Kind + separator + used.Label()
	if on := used.foreign(e.Platforms); on != "" {
		text += " on " + on
	}
	switch used.Kind {
	case Image:
		text += " (image)"
	case Context:
		text += " (named context)"
	}
	return text
}

// title is how a stage heads its tree.
func (n *Node) title() string {
	if n.Variant {
		return n.Label()
	}
	return fmt.Sprintf("%s, line %d", n.Label(), n.Line)
}

// Label names the node shortly, as steps of a build do: a variant with its line,
// "base:12", and with the platform that a reference names, "tools::linux/amd64".
func (n *Node) Label() string {
	label := n.Name
	if n.Variant {
		label = fmt.Sprintf("%s:%d", label, n.Line)
	}
	if n.Platform != "" && n.Kind == Stage {
		label += "::" + n.Platform
	}
	return label
}

// foreign returns the platform that the node runs on for all of some target
// platforms, unless that is clear anyway.
func (n *Node) foreign(platforms []string) string {
	var on []string
	other := false
	for _, p := range platforms {
		if f, ok := n.On(p); ok {
			on = union(on, []string{f.RunsOn})
			other = other || f.RunsOn != p
		}
	}
	if len(on) != 1 || !other || n.Kind == Stage && on[0] == n.Platform {
		return ""
	}
	return on[0]
}

// ReachedOn returns the platforms for which the node is reached.
func (n *Node) ReachedOn() []string {
	var list []string
	for _, f := range n.Fates {
		if f.State == Reached {
			list = append(list, f.Platform)
		}
	}
	return list
}

// only names platforms in brackets when they are fewer than all.
func only(platforms, all []string) string {
	if !slices.ContainsFunc(all, func(p string) bool { return !slices.Contains(platforms, p) }) {
		return ""
	}
	return " [" + strings.Join(platforms, ", ") + "]"
}
