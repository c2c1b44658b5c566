// Package draw makes pictures of the stages of a Dockerfile: [Dot] and [Mermaid] are
// sources for other programs, [SVG] is a picture, and [HTML] a page with a picture for
// each platform and set of build args. All of them are made from a [graph.Graph], show
// each of its nodes and edges, and depend on nothing else: the same graph gives the
// same bytes.
//
// Arrows run from what is used to what uses it. What a state is shown with is never
// its colour alone: it has words, too.
package draw

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// scene is a graph as it is drawn.
type scene struct {
	graph *graph.Graph
	boxes []*box
	lines []*line
}

// box is a node as it is drawn.
type box struct {
	node  *graph.Node
	index int // in the scene
	// name is the node's, and rows are what stands below it.
	name string
	rows []string
	// target is set for what is built, some for what is not there for all of the
	// platforms, and off for what is there for none.
	target, some, off bool
}

// line is the edges from one node to another that look alike.
type line struct {
	from, to *box
	index    int // in a union
	edges    []*graph.Edge
	// label is the kind of reference and where it stands, and mark the platforms for
	// which it does, if these are not those of the stage.
	label, mark string
	// some and off are as those of a box: off is a line, too, for none of whose
	// platforms its stage is reached.
	needs, some, off bool
	// far is set for a line that is not drawn all the way: see part.
	far bool
}

// compose returns the scene of a graph.
func compose(g *graph.Graph) *scene {
	s := &scene{graph: g}
	boxes := map[string]*box{}
	for i, n := range g.Nodes {
		b := boxOf(g, n)
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
			l.appear(e.Platforms, g.Platforms)
			known[key] = l
			s.lines = append(s.lines, l)
		}
		l.edges = append(l.edges, e)
	}
	for _, l := range s.lines {
		l.label = keyword(l.edges[0].Kind) + " " + numbers(l.edges)
	}
	return s
}

// appear decides how a line looks that there is for some platforms, of all.
func (l *line) appear(platforms, all []string) {
	reached := l.to.node.ReachedOn()
	there := slices.DeleteFunc(slices.Clone(platforms), func(p string) bool { return !slices.Contains(reached, p) })
	switch {
	case len(there) == 0:
		l.off = true
		if !l.to.off { // nothing else says for which platforms it is
			l.mark = onlyFor(platforms, all)
		}
	default:
		l.some = len(there) < len(all)
		if len(there) < len(reached) {
			l.mark = onlyFor(there, reached)
		}
	}
}

func boxOf(g *graph.Graph, n *graph.Node) *box {
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
	if slices.ContainsFunc(n.Fates, func(f graph.Fate) bool { return f.Replaced }) {
		b.rows = append(b.rows, "replaced by a named context")
	}
	there := n.ReachedOn()
	switch {
	case len(there) == 0:
		b.off = true
		b.rows = append(b.rows, absence(g, n))
	case len(there) < len(g.Platforms):
		b.some = true
		b.rows = append(b.rows, onlyFor(there, g.Platforms))
	}
	if b.target {
		b.rows = append(b.rows, "target")
	}
	return b
}

// absence says why a node is there for no platform.
func absence(g *graph.Graph, n *graph.Node) string {
	if as := reachedAs(g, n.Fates...); as != "" {
		return as
	}
	if slices.ContainsFunc(n.Fates, func(f graph.Fate) bool { return f.State == graph.Unreached }) {
		return "not reached"
	}
	return "dropped"
}

// reachedAs names what a stage is reached as that is not reached itself, or returns "".
func reachedAs(g *graph.Graph, fates ...graph.Fate) string {
	var names []string
	for _, f := range fates {
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

// runsOn returns the platform of a stage's RUNs when it is one other than that
// which is built for, and than that which the stage's name says.
func runsOn(n *graph.Node) string {
	var on []string
	other := false
	for _, f := range n.Fates {
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

// onlyFor names platforms among all of those there are, in as few words as it takes.
func onlyFor(platforms, all []string) string {
	others := slices.DeleteFunc(slices.Clone(all), func(p string) bool { return slices.Contains(platforms, p) })
	if len(others) < len(platforms) {
		return "not for " + strings.Join(others, ", ")
	}
	return "only for " + strings.Join(platforms, ", ")
}

// keyword returns the word of a kind of reference that a picture has room for.
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

// numbers returns the lines on which edges stand, each once.
func numbers(edges []*graph.Edge) string {
	var lines []int
	for _, e := range edges {
		lines = append(lines, e.Line)
	}
	slices.Sort(lines)
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(slices.Compact(lines)), " ", ", "), "[]")
}

// subject says what a picture is of.
func subject(g *graph.Graph) string {
	return "Stages of " + cmp.Or(g.File, "a Dockerfile") + " for " + strings.Join(g.Platforms, ", ")
}
