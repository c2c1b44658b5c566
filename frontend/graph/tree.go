package graph

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Write prints a tree for each target: the stages and images that it is built from or
// needs. An entry that does not apply to all platforms ends with those that it applies to.
// Write breaks lines between words after at most width columns.
func (g *Graph) Write(w io.Writer, width int) error {
	return writeTrees(w, width, g.targetTrees())
}

// WriteAll prints the trees of Write, then the unreached stages and the dropped ones.
func (g *Graph) WriteAll(w io.Writer, width int) error {
	return writeTrees(w, width, slices.Concat(g.targetTrees(), titled("not reached", g.unreached()), titled("dropped", g.dropped())))
}

// targetTrees returns the tree of each target.
func (g *Graph) targetTrees() []*entry {
	var trees []*entry
	p := &printer{graph: g, uses: usesOf(g.Reached()), shown: map[string]bool{}}
	for _, id := range g.Targets {
		n := g.Node(id)
		tree := &entry{text: n.title() + onlyText(n.ReachedOn(), g.Platforms)}
		p.addUses(tree, n)
		trees = append(trees, tree)
	}
	return trees
}

// titled returns a tree with entries under a title, or nil without entries.
func titled(title string, below []*entry) []*entry {
	if len(below) == 0 {
		return nil
	}
	return []*entry{{text: title, below: below}}
}

// unreached returns an entry for each unused stage, with the platforms for which it is one.
func (g *Graph) unreached() []*entry {
	var list []*entry
	for _, n := range g.Nodes {
		var platforms []string
		for _, o := range n.Outcomes {
			if n.Kind == Stage && o.isUnused() {
				platforms = append(platforms, o.Platform)
			}
		}
		if len(platforms) > 0 {
			list = append(list, &entry{text: n.title() + onlyText(platforms, g.Platforms)})
		}
	}
	return list
}

// isUnused reports whether a stage is unreached, also under the IDs with a platform.
func (o Outcome) isUnused() bool {
	return o.State == Unreached && len(o.ReachedAs) == 0
}

// dropped returns an entry for each dropped stage, with the reasons.
func (g *Graph) dropped() []*entry {
	var list []*entry
	for _, n := range g.Nodes {
		var platforms, reasons []string
		for _, o := range n.Outcomes {
			if o.State == Dropped {
				platforms = append(platforms, o.Platform)
				reasons = union(reasons, []string{o.Reason})
			}
		}
		if len(platforms) == 0 {
			continue
		}
		e := &entry{text: n.fromText() + onlyText(platforms, g.Platforms)}
		if len(reasons) == 1 {
			e.text += ": " + reasons[0]
		} else {
			for _, reason := range reasons {
				e.add(reason)
			}
		}
		list = append(list, e)
	}
	return list
}

// fromText returns the FROM of a stage with its line number.
func (n *Node) fromText() string {
	name := n.Name
	if n.Platform != "" {
		name += "::" + n.Platform
	}
	return fmt.Sprintf("line %d: FROM %s AS %s", n.Line, n.Base, name)
}

// printer makes the trees of a graph. It shows the references of a stage only where the
// stage appears first.
type printer struct {
	graph *Graph
	uses  map[string][]*Edge // by the ID of the stage with the reference
	shown map[string]bool    // the stages that have appeared, by ID
	// details adds the reasons for stages and instructions. The graph must be of one
	// platform.
	details bool
}

// usesOf returns the edges of each stage, by its ID.
func usesOf(g *Graph) map[string][]*Edge {
	uses := map[string][]*Edge{}
	for _, e := range g.Edges {
		uses[e.Stage] = append(uses[e.Stage], e)
	}
	return uses
}

// row is a line of text about a stage.
type row struct {
	line int // in the file, 1-based
	text string
	edge *Edge // the reference that the row is about, or nil
}

// addUses adds the references of a stage to its entry, and the trees of the stages that
// they refer to.
func (p *printer) addUses(to *entry, n *Node) {
	p.shown[n.ID] = true
	var rows []row
	for _, e := range p.uses[n.ID] {
		rows = append(rows, row{line: e.Line, edge: e, text: p.edgeText(e) + onlyText(e.Platforms, n.ReachedOn())})
	}
	if p.details {
		rows = p.addDetails(n, rows)
	}
	for _, r := range rows {
		child := to.add(fmt.Sprintf("line %d: %s", r.line, r.text))
		if r.edge == nil {
			continue
		}
		used := p.graph.Node(r.edge.Uses)
		switch {
		case used.Kind != Stage:
		case p.shown[used.ID] && len(p.uses[used.ID]) > 0:
			child.text += " (above)"
		default:
			p.addUses(child, used)
		}
	}
}

// edgeText returns the reference of an edge in the form of a Dockerfile: "COPY
// --from=build".
func (p *printer) edgeText(e *Edge) string {
	used := p.graph.Node(e.Uses)
	separator := "="
	if e.Kind == syntax.FromBase.String() {
		separator = " "
	}
	text := e.Kind + separator + used.Label()
	if on := used.otherPlatform(e.Platforms); on != "" {
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

// title returns the first line of a stage's tree.
func (n *Node) title() string {
	if n.Variant {
		return n.Label()
	}
	return fmt.Sprintf("%s, line %d", n.Label(), n.Line)
}

// Label returns a short name of the node. It has the platform that a reference names for a
// stage, "tools::linux/amd64", and the line of a variant, "base (line 12)".
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

// otherPlatform returns the platform that the node runs on for all of the given target
// platforms. It returns "" if they differ, or if the node's label or the target platform
// already tells.
func (n *Node) otherPlatform(targets []string) string {
	var on []string
	isOther := false
	for _, target := range targets {
		if o, ok := n.On(target); ok {
			on = union(on, []string{o.RunsOn})
			isOther = isOther || o.RunsOn != target
		}
	}
	if len(on) != 1 || !isOther || n.Kind == Stage && on[0] == n.Platform {
		return ""
	}
	return on[0]
}

// onlyText returns the platforms in brackets, or "" if they are all.
func onlyText(platforms, all []string) string {
	if !slices.ContainsFunc(all, func(p string) bool { return !slices.Contains(platforms, p) }) {
		return ""
	}
	return " [" + strings.Join(platforms, ", ") + "]"
}
