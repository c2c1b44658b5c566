package graph

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Explanation has the graph of each stage and platform, to print them with the reasons.
type Explanation struct {
	// Explanations are graphs of one target and one platform.
	Explanations []*Graph `json:"explanations"`
}

// Write prints the graphs as trees, with the reason for each selected and dropped variant
// and instruction. It breaks lines between words after at most width columns.
func (e *Explanation) Write(w io.Writer, width int) error {
	var trees []*entry
	for _, g := range e.Explanations {
		trees = append(trees, g.explain()...)
	}
	return writeTrees(w, width, trees)
}

// explain returns the tree of each target of a graph of one platform, and the trees of the
// unreached and the dropped stages.
func (g *Graph) explain() []*entry {
	platform := g.Platforms[0]
	p := &printer{graph: g, uses: usesOf(g.Reached()), shown: map[string]bool{}, details: true}
	var trees []*entry
	for _, id := range g.Targets {
		n := g.Node(id)
		tree := &entry{text: n.title() + " for " + platform + g.argsText()}
		for _, globals := range g.Globals {
			for _, in := range globals.Instructions {
				tree.add(fmt.Sprintf("line %d: %s", in.Line, in.outcomeText()))
			}
		}
		p.addUses(tree, n)
		trees = append(trees, tree)
	}
	var unreached, dropped []*entry
	for _, n := range g.Nodes {
		outcome, ok := n.On(platform)
		switch {
		case !ok || n.Kind != Stage || n.Platform != "":
		case outcome.isUnused():
			unreached = append(unreached, &entry{text: n.title()})
		case outcome.State == Dropped && !g.hasSelectedVariant(n, platform):
			dropped = append(dropped, &entry{text: n.fromText() + ": " + outcome.Reason})
		}
	}
	return slices.Concat(trees, titled("not reached", unreached), titled("dropped for "+platform, dropped))
}

// hasSelectedVariant reports whether a variant with the name of a stage is selected.
func (g *Graph) hasSelectedVariant(n *Node, platform string) bool {
	return slices.ContainsFunc(g.Nodes, func(other *Node) bool {
		outcome, ok := other.On(platform)
		return ok && other.Kind == Stage && other.Name == n.Name && other.Platform == n.Platform && outcome.State != Dropped
	})
}

// argsText returns the args of the graph with their values for its only platform, or "".
func (g *Graph) argsText() string {
	var parts []string
	for _, a := range g.Args {
		parts = append(parts, a.Name+" = "+strconv.Quote(a.Values[g.Platforms[0]]))
	}
	if len(parts) == 0 {
		return ""
	}
	return " with " + strings.Join(parts, ", ")
}

// addDetails adds the reasons for a stage and its instructions to its rows, and a row for
// each dropped variant above the stage.
func (p *printer) addDetails(n *Node, rows []row) []row {
	outcome, _ := n.On(p.graph.Platforms[0])
	for i := range rows {
		if rows[i].edge.Kind == syntax.FromBase.String() {
			rows[i].text += selectedText(n, outcome)
		}
	}
	if outcome.Replaced {
		rows = append(rows, row{line: n.Line, text: "a named context replaces the stage"})
	}
	for _, in := range outcome.Instructions {
		rows = addInstruction(rows, in)
	}
	for _, v := range p.graph.Nodes {
		if v.Kind != Stage || v.Name != n.Name || v.Platform != n.Platform || v.Line >= n.Line {
			continue
		}
		if o, ok := v.On(p.graph.Platforms[0]); ok && o.State == Dropped {
			rows = append(rows, row{line: v.Line, text: "FROM " + v.Base + " is not selected: " + o.Reason})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return a.line - b.line })
	return rows
}

// selectedText returns the reason why a stage is selected, or "" if it is the only one of
// its name and has no guard.
func selectedText(n *Node, outcome Outcome) string {
	switch {
	case outcome.Reason != "":
		return ", selected: " + outcome.Reason
	case n.Variant:
		return ", the default"
	}
	return ""
}

// addInstruction adds the outcome of an instruction: to the rows of its references if it is
// kept and has any, and otherwise as a row of its own.
func addInstruction(rows []row, in Instruction) []row {
	found := false
	if !in.Dropped {
		for i := range rows {
			if e := rows[i].edge; e != nil && e.Span == in.Span {
				rows[i].text += ", kept: " + in.Reason
				found = true
			}
		}
	}
	if found {
		return rows
	}
	return append(rows, row{line: in.Line, text: in.outcomeText()})
}

// outcomeText returns the instruction, its outcome and the reason.
func (in Instruction) outcomeText() string {
	if in.Dropped {
		return in.Text + " is dropped: " + in.Reason
	}
	return in.Text + " is kept: " + in.Reason
}
