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
	return writeTrees(w, width, g.made())
}

// WriteAll prints what Write does, then the stages that are not reached and those that
// are dropped.
func (g *Graph) WriteAll(w io.Writer, width int) error {
	return writeTrees(w, width, slices.Concat(g.made(), under("not reached", g.unreached()), under("dropped", g.dropped())))
}

// made returns what the targets are made of, a tree each.
func (g *Graph) made() []*branch {
	var trees []*branch
	t := &printer{graph: g, uses: usesOf(g.Reached()), shown: map[string]bool{}}
	for _, id := range g.Targets {
		n := g.Node(id)
		tree := &branch{text: n.title() + only(n.ReachedOn(), g.Platforms)}
		t.below(tree, n)
		trees = append(trees, tree)
	}
	return trees
}

// under returns the tree of branches with a title, or none if there are none.
func under(title string, below []*branch) []*branch {
	if len(below) == 0 {
		return nil
	}
	return []*branch{{text: title, below: below}}
}

// unreached returns the stages that are there and not asked for, for any platform.
func (g *Graph) unreached() []*branch {
	var list []*branch
	for _, n := range g.Nodes {
		var platforms []string
		for _, f := range n.Outcomes {
			if n.Kind == Stage && f.unasked() {
				platforms = append(platforms, f.Platform)
			}
		}
		if len(platforms) > 0 {
			list = append(list, &branch{text: n.title() + only(platforms, g.Platforms)})
		}
	}
	return list
}

// unasked reports whether a stage is there, and not reached under any name.
func (f Outcome) unasked() bool {
	return f.State == Unreached && len(f.ReachedAs) == 0
}

// dropped returns the stages whose guard does not hold, and why.
func (g *Graph) dropped() []*branch {
	var list []*branch
	for _, n := range g.Nodes {
		var platforms, reasons []string
		for _, f := range n.Outcomes {
			if f.State == Dropped {
				platforms = append(platforms, f.Platform)
				reasons = union(reasons, []string{f.Reason})
			}
		}
		if len(platforms) == 0 {
			continue
		}
		b := &branch{text: n.from() + only(platforms, g.Platforms)}
		if len(reasons) == 1 {
			b.text += ": " + reasons[0]
		} else {
			for _, reason := range reasons {
				b.add(reason)
			}
		}
		list = append(list, b)
	}
	return list
}

// from is the line of a stage that is not there.
func (n *Node) from() string {
	name := n.Name
	if n.Platform != "" {
		name += "::" + n.Platform
	}
	return fmt.Sprintf("line %d: FROM %s AS %s", n.Line, n.Base, name)
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

// Label returns a short name of the node: that of the stage or image, with the platform
// that a reference names, "tools::linux/amd64", and with the line of a variant,
// "base (line 12)".
func (n *Node) Label() string {
	label := n.Name
	if n.Platform != "" && n.Kind == Stage {
		label += "::" + n.Platform
	}
	if n.Variant {
		label += fmt.Sprintf(" (line %d)", n.Line)
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
	for _, f := range n.Outcomes {
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
