package graph

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Explanation is what stages will be made of, and why: a graph for each stage and
// platform.
type Explanation struct {
	// Explanations are graphs of one target and one platform.
	Explanations []*Graph `json:"explanations"`
}

// Write prints the explanation for people, in lines of at most width columns where
// it can be.
func (e *Explanation) Write(w io.Writer, width int) error {
	var trees []*branch
	for _, g := range e.Explanations {
		trees = append(trees, g.explain()...)
	}
	return writeTrees(w, width, trees)
}

// explain returns the trees of a graph of one platform: what the target is made of,
// and what it is not.
func (g *Graph) explain() []*branch {
	platform := g.Platforms[0]
	reached := g.Reached()
	t := &printer{graph: g, uses: usesOf(reached), shown: map[string]bool{}, details: true}
	var trees []*branch
	for _, id := range g.Targets {
		n := g.Node(id)
		tree := &branch{text: n.title() + " for " + platform + g.values()}
		for _, globals := range g.Globals {
			for _, in := range globals.Instructions {
				tree.add(fmt.Sprintf("line %d: %s", in.Line, in.outcome()))
			}
		}
		t.below(tree, n)
		trees = append(trees, tree)
	}
	var rest, absent []*branch
	for _, n := range g.Nodes {
		outcome, ok := n.On(platform)
		switch {
		case !ok || n.Kind != Stage || n.Platform != "":
		case outcome.unasked():
			rest = append(rest, &branch{text: n.title()})
		case outcome.State == Dropped && !g.chosen(n, platform):
			absent = append(absent, &branch{text: n.from() + ": " + outcome.Reason})
		}
	}
	return slices.Concat(trees, under("not reached", rest), under("dropped for "+platform, absent))
}

// chosen reports whether some variant of a stage's name is there.
func (g *Graph) chosen(n *Node, platform string) bool {
	return slices.ContainsFunc(g.Nodes, func(other *Node) bool {
		outcome, ok := other.On(platform)
		return ok && other.Kind == Stage && other.Name == n.Name && other.Platform == n.Platform && outcome.State != Dropped
	})
}

// values says what the args are that decide.
func (g *Graph) values() string {
	var parts []string
	for _, a := range g.Args {
		parts = append(parts, a.Name+" = "+strconv.Quote(a.Values[g.Platforms[0]]))
	}
	if len(parts) == 0 {
		return ""
	}
	return " with " + strings.Join(parts, ", ")
}

// detail adds what decided about a stage and its instructions to its items.
func (t *printer) detail(n *Node, items []item) []item {
	outcome, _ := n.On(t.graph.Platforms[0])
	for i := range items {
		if items[i].edge.Kind == "FROM" {
			items[i].text += because(n, outcome)
		}
	}
	if outcome.Replaced {
		items = append(items, item{line: n.Line, text: "a named context stands for the stage"})
	}
	for _, in := range outcome.Instructions {
		items = conditional(items, in)
	}
	for _, v := range t.graph.Nodes {
		if v.Kind != Stage || v.Name != n.Name || v.Platform != n.Platform || v.Line >= n.Line {
			continue
		}
		if f, ok := v.On(t.graph.Platforms[0]); ok && f.State == Dropped {
			items = append(items, item{line: v.Line, text: "FROM " + v.Base + " is not selected: " + f.Reason})
		}
	}
	slices.SortStableFunc(items, func(a, b item) int { return a.line - b.line })
	return items
}

// because says why a stage is there.
func because(n *Node, outcome Outcome) string {
	switch {
	case outcome.Reason != "":
		return ", selected: " + outcome.Reason
	case n.Variant:
		return ", the default"
	}
	return ""
}

// conditional adds what becomes of an instruction that is not always there: to its
// references, if it has some and is there.
func conditional(items []item, in Instruction) []item {
	if in.Dropped {
		return append(items, item{line: in.Line, text: in.outcome()})
	}
	found := false
	for i := range items {
		if items[i].edge != nil && items[i].line == in.Line {
			items[i].text += ", kept: " + in.Reason
			found = true
		}
	}
	if found {
		return items
	}
	return append(items, item{line: in.Line, text: in.outcome()})
}

// outcome says what becomes of an instruction, and why.
func (in Instruction) outcome() string {
	if in.Dropped {
		return in.Text + " is dropped: " + in.Reason
	}
	return in.Text + " is kept: " + in.Reason
}
