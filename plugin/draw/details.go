package draw

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/graph"
)

// detail is the content of a page's panel for one node.
type detail struct {
	Title string `json:"title"`
	// Facts are pairs of a name and a value.
	Facts [][2]string `json:"facts"`
	// First and Last are the node's first and last line, or 0.
	First int `json:"first,omitempty"`
	Last  int `json:"last,omitempty"`
	// Notes are remarks on some of the lines.
	Notes []lineNote `json:"notes,omitempty"`
}

// lineNote is a remark on the lines First to Last of a stage.
type lineNote struct {
	First int    `json:"first"`
	Last  int    `json:"last"`
	Text  string `json:"text"`
	// Dropped is set if the lines are dropped for all platforms of the view.
	Dropped bool `json:"dropped,omitempty"`
}

// newDetails returns the details of a graph's nodes, by ID.
func newDetails(g *graph.Graph) map[string]detail {
	details := map[string]detail{}
	for _, n := range g.Nodes {
		b := newBox(g, n)
		d := detail{Title: b.name, First: n.Line, Last: n.LastLine, Facts: facts(g, n)}
		if n.Kind == graph.Stage {
			d.Notes = lineNotes(n)
		}
		details[n.ID] = d
	}
	return details
}

// facts returns the names and values of a node's properties that are not empty.
func facts(g *graph.Graph, n *graph.Node) [][2]string {
	var list [][2]string
	add := func(name, value string) {
		if value != "" {
			list = append(list, [2]string{name, value})
		}
	}
	add("About", n.Description)
	add("FROM", n.Base)
	add("Guard", n.Guard)
	for _, f := range n.Outcomes {
		add(f.Platform, outcomeOf(g, f))
	}
	var uses, users []string
	for _, e := range g.Edges {
		if e.Stage == n.ID {
			uses = append(uses, fmt.Sprintf("line %d: %s %s", e.Line, e.Kind, g.Node(e.Uses).Label()))
		}
		if e.Uses == n.ID {
			users = append(users, fmt.Sprintf("%s, line %d", g.Node(e.Stage).Label(), e.Line))
		}
	}
	add("Uses", strings.Join(uses, "\n"))
	add("Used by", strings.Join(users, "\n"))
	return list
}

// outcomeOf describes the outcome of a node for one platform.
func outcomeOf(g *graph.Graph, f graph.Outcome) string {
	text := map[graph.State]string{graph.Reached: "built", graph.Unreached: "not reached", graph.Dropped: "dropped"}[f.State]
	switch {
	case len(f.ReachedAs) > 0:
		text = reachedAs(g, f)
	case f.RunsOn != "" && f.RunsOn != f.Platform:
		text += " on " + f.RunsOn
	}
	if f.Replaced {
		text += ", replaced by a named context"
	}
	if f.Reason != "" {
		text += ": " + f.Reason
	}
	return text
}

// lineNotes returns a note for each instruction that is dropped for some platform, or
// one note if the stage is dropped for all.
func lineNotes(n *graph.Node) []lineNote {
	if !slices.ContainsFunc(n.Outcomes, func(f graph.Outcome) bool { return f.State != graph.Dropped }) {
		return []lineNote{{First: n.Line, Last: n.LastLine, Dropped: true, Text: droppedText(n.Outcomes, func(f graph.Outcome) (string, bool) { return f.Reason, true })}}
	}
	var notes []lineNote
	for _, in := range conditionalInstructions(n) {
		kept := false
		text := droppedText(n.Outcomes, func(f graph.Outcome) (string, bool) {
			for _, other := range f.Instructions {
				if other.Span == in.Span {
					kept = kept || !other.Dropped
					return other.Reason, other.Dropped
				}
			}
			return "", false
		})
		if text != "" {
			notes = append(notes, lineNote{First: in.Line, Last: in.LastLine, Dropped: !kept, Text: text})
		}
	}
	return notes
}

// conditionalInstructions returns each instruction of a stage that is dropped for some
// platforms or build args.
func conditionalInstructions(n *graph.Node) []graph.Instruction {
	var list []graph.Instruction
	for _, f := range n.Outcomes {
		for _, in := range f.Instructions {
			if !slices.ContainsFunc(list, func(other graph.Instruction) bool { return other.Span == in.Span }) {
				list = append(list, in)
			}
		}
	}
	return list
}

// droppedText lists the platforms for which something is dropped, with the reasons. It
// joins platforms with the same reason, and returns "" if there are no platforms.
func droppedText(outcomes []graph.Outcome, dropped func(graph.Outcome) (reason string, dropped bool)) string {
	var reasons []string
	platforms := map[string][]string{}
	for _, f := range outcomes {
		if reason, ok := dropped(f); ok {
			if platforms[reason] == nil {
				reasons = append(reasons, reason)
			}
			platforms[reason] = append(platforms[reason], f.Platform)
		}
	}
	for i, reason := range reasons {
		text := "dropped for " + strings.Join(platforms[reason], ", ")
		if reason != "" {
			text += ": " + reason
		}
		reasons[i] = text
	}
	return strings.Join(reasons, "; ")
}
