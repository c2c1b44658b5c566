package draw

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// scene is a graph as boxes and lines, without their positions.
type scene struct {
	graph *graph.Graph
	boxes []*box
	lines []*line
}

// box is a node of the graph.
type box struct {
	node  *graph.Node
	index int // in the scene
	// name is the first row of text, and rows are the others.
	name string
	rows []string
	// target is set for a requested stage, partial for a node that is reached on some
	// of the platforms, and absent for one that is reached on none.
	target, partial, absent bool
}

// line is all edges between two nodes that have the same kind and platforms.
type line struct {
	from, to *box
	index    int // in a union
	edges    []*graph.Edge
	// label is the kind of reference and its line numbers. mark is the platforms of
	// the edges, if they differ from those of the stage.
	label, mark string
	// needs is set for --needs. partial is set for a line that applies to some of the
	// platforms, and absent for one that applies to none on which its stage is reached.
	needs, partial, absent bool
	// stub is set for a line of which only the end is drawn: see chooseStubs.
	stub bool
}

// newScene makes a box of each node, and a line of all edges that look alike.
func newScene(g *graph.Graph) *scene {
	s := &scene{graph: g}
	boxes := map[string]*box{}
	for i, n := range g.Nodes {
		b := newBox(g, n)
		b.index = i
		boxes[n.ID] = b
		s.boxes = append(s.boxes, b)
	}
	known := map[string]*line{}
	for _, e := range g.Edges {
		key := strings.Join(append([]string{e.Stage, e.Uses, e.Kind}, e.Platforms...), "\n")
		l := known[key]
		if l == nil {
			l = &line{from: boxes[e.Uses], to: boxes[e.Stage], needs: e.Kind == syntax.Needs.String()}
			l.setPlatforms(e.Platforms, g.Platforms)
			known[key] = l
			s.lines = append(s.lines, l)
		}
		l.edges = append(l.edges, e)
	}
	for _, l := range s.lines {
		l.label = keyword(l.edges[0].Kind) + " " + lineNumbers(l.edges)
	}
	return s
}

// setPlatforms sets the fields that depend on the line's platforms, which are some of
// all platforms of the graph.
func (l *line) setPlatforms(platforms, all []string) {
	reached := l.to.node.ReachedOn()
	applies := slices.DeleteFunc(slices.Clone(platforms), func(p string) bool { return !slices.Contains(reached, p) })
	if len(applies) == 0 {
		l.absent = true
		if !l.to.absent { // otherwise the box has the reason
			l.mark = onlyFor(platforms, all)
		}
		return
	}
	l.partial = len(applies) < len(all)
	if len(applies) < len(reached) {
		l.mark = onlyFor(applies, reached)
	}
}

// newBox returns the box of a node, with its texts.
func newBox(g *graph.Graph, n *graph.Node) *box {
	b := &box{node: n, name: n.Label(), target: slices.Contains(g.Targets, n.ID)}
	if n.Platform != "" && n.Kind != graph.Stage {
		b.name += "::" + n.Platform
	}
	if n.Base != "" {
		b.rows = append(b.rows, "FROM "+n.Base)
	}
	if n.Guard != "" {
		b.rows = append(b.rows, n.Guard)
	}
	if n.Kind == graph.Context {
		b.rows = append(b.rows, "named context")
	}
	if on := runsOn(n); on != "" {
		b.rows = append(b.rows, "runs on "+on)
	}
	if slices.ContainsFunc(n.Outcomes, func(f graph.Outcome) bool { return f.Replaced }) {
		b.rows = append(b.rows, "replaced by a named context")
	}
	reached := n.ReachedOn()
	switch {
	case len(reached) == 0:
		b.absent = true
		b.rows = append(b.rows, absentText(g, n))
	case len(reached) < len(g.Platforms):
		b.partial = true
		b.rows = append(b.rows, onlyFor(reached, g.Platforms))
	}
	if b.target {
		b.rows = append(b.rows, "target")
	}
	return b
}

// absentText describes the state of a node that is reached on no platform.
func absentText(g *graph.Graph, n *graph.Node) string {
	if as := reachedAs(g, n.Outcomes...); as != "" {
		return as
	}
	if slices.ContainsFunc(n.Outcomes, func(f graph.Outcome) bool { return f.State == graph.Unreached }) {
		return "not reached"
	}
	return "dropped"
}

// reachedAs lists the names, such as "test::linux/amd64", under which an otherwise
// unreached stage is reached. It returns "" if there are none.
func reachedAs(g *graph.Graph, outcomes ...graph.Outcome) string {
	var names []string
	for _, f := range outcomes {
		for _, id := range f.ReachedAs {
			if name := g.Node(id).Label(); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "reached as " + strings.Join(names, ", ")
}

// runsOn returns the platform that a stage's RUN instructions run on. It returns "" if
// that is the target platform or part of the stage's name.
func runsOn(n *graph.Node) string {
	var on []string
	other := false
	for _, f := range n.Outcomes {
		if f.RunsOn != "" && n.Kind == graph.Stage {
			on = append(on, f.RunsOn)
			other = other || f.RunsOn != f.Platform
		}
	}
	slices.Sort(on)
	if on = slices.Compact(on); len(on) != 1 || !other || on[0] == n.Platform {
		return ""
	}
	return on[0]
}

// onlyFor describes some of all platforms: "only for" them, or "not for" the others if
// those are fewer.
func onlyFor(platforms, all []string) string {
	others := slices.DeleteFunc(slices.Clone(all), func(p string) bool { return slices.Contains(platforms, p) })
	if len(others) < len(platforms) {
		return "not for " + strings.Join(others, ", ")
	}
	return "only for " + strings.Join(platforms, ", ")
}

// keyword returns the short name of a kind of reference for a label.
func keyword(kind string) string {
	switch kind {
	case syntax.CopyFrom.String():
		return "COPY"
	case syntax.MountFrom.String():
		return "mount"
	case syntax.Needs.String():
		return "needs"
	}
	return kind
}

// lineNumbers returns the sorted line numbers of edges, each once: "4, 6".
func lineNumbers(edges []*graph.Edge) string {
	var lines []int
	for _, e := range edges {
		lines = append(lines, e.Line)
	}
	slices.Sort(lines)
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(slices.Compact(lines)), " ", ", "), "[]")
}

// caption returns the title of a picture: its file and platforms.
func caption(g *graph.Graph) string {
	return "Stages of " + cmp.Or(g.File, "a Dockerfile") + " for " + strings.Join(g.Platforms, ", ")
}
