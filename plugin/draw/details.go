package draw

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/graph"
)

// detail is what a page says of a node when it is asked.
type detail struct {
	Title string `json:"title"`
	// Facts are pairs of a name and what it is.
	Facts [][2]string `json:"facts"`
	// First and Last are the node's lines, or 0.
	First int `json:"first,omitempty"`
	Last  int `json:"last,omitempty"`
	// Notes are about some of these lines.
	Notes []lineNote `json:"notes,omitempty"`
}

// lineNote is about some lines of a stage.
type lineNote struct {
	First int    `json:"first"`
	Last  int    `json:"last"`
	Text  string `json:"text"`
	// Dropped is set when the lines are there for no platform of the view.
	Dropped bool `json:"dropped,omitempty"`
}

// detailsOf returns what there is to say of the nodes of a graph, by ID.
func detailsOf(g *graph.Graph) map[string]detail {
	details := map[string]detail{}
	for _, n := range g.Nodes {
		b := boxOf(g, n)
		d := detail{Title: b.name, First: n.Line, Last: n.LastLine, Facts: facts(g, n)}
		if n.Kind == graph.Stage {
			d.Notes = lineNotes(n)
		}
		details[n.ID] = d
	}
	return details
}

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
	for _, f := range n.Fates {
		add(f.Platform, fateOf(g, f))
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

// fateOf says what becomes of a node for a platform.
func fateOf(g *graph.Graph, f graph.Fate) string {
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

// lineNotes returns what there is to say of the lines of a stage: which are dropped,
// for which platforms, and why.
func lineNotes(n *graph.Node) []lineNote {
	if !slices.ContainsFunc(n.Fates, func(f graph.Fate) bool { return f.State != graph.Dropped }) {
		return []lineNote{{First: n.Line, Last: n.LastLine, Dropped: true, Text: whyFor(n.Fates, func(f graph.Fate) (string, bool) { return f.Reason, true })}}
	}
	var notes []lineNote
	for _, in := range conditional(n) {
		there := false
		text := whyFor(n.Fates, func(f graph.Fate) (string, bool) {
			for _, other := range f.Instructions {
				if other.Line == in.Line {
					there = there || !other.Dropped
					return other.Reason, other.Dropped
				}
			}
			return "", false
		})
		if text != "" {
			notes = append(notes, lineNote{First: in.Line, Last: in.LastLine, Dropped: !there, Text: text})
		}
	}
	return notes
}

// conditional returns the instructions of a stage that are not always there, each
// once.
func conditional(n *graph.Node) []graph.Instruction {
	var list []graph.Instruction
	for _, f := range n.Fates {
		for _, in := range f.Instructions {
			if !slices.ContainsFunc(list, func(other graph.Instruction) bool { return other.Line == in.Line }) {
				list = append(list, in)
			}
		}
	}
	return list
}

// whyFor says for which platforms something is dropped, and why, or "". The reason for
// several platforms is said once.
func whyFor(fates []graph.Fate, dropped func(graph.Fate) (reason string, dropped bool)) string {
	var reasons []string
	platforms := map[string][]string{}
	for _, f := range fates {
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
