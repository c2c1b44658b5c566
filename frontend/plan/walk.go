package plan

import (
	"iter"

	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Walk visits choices along their edges, depth first. A node of the walk is a *Choice,
// or a value that has one and more that tells it apart. A walk comes to each node
// once, also over several calls of From.
type Walk[N comparable] struct {
	// Edges returns the edges of a node.
	Edges func(N) []Edge
	// Next returns the node that an edge leads to. The zero node is none.
	Next func(N, *Edge) N

	visited map[N]bool
}

// From yields the nodes that start leads to, itself included. It yields a node without
// an edge when it comes there, and with each of its edges after the node that the edge
// leads to: dependencies come before their users.
func (w *Walk[N]) From(start N) iter.Seq2[N, *Edge] {
	return func(yield func(N, *Edge) bool) {
		w.visit(start, yield)
	}
}

// visit returns false when the walk is to end.
func (w *Walk[N]) visit(n N, yield func(N, *Edge) bool) bool {
	var none N
	if n == none || w.visited[n] {
		return true
	}
	if w.visited == nil {
		w.visited = map[N]bool{}
	}
	w.visited[n] = true
	if !yield(n, nil) {
		return false
	}
	edges := w.Edges(n)
	for i := range edges {
		e := &edges[i]
		if !w.visit(w.Next(n, e), yield) || !yield(n, e) {
			return false
		}
	}
	return true
}

// newWalk returns a walk over the stages that edges of some kind lead to.
func newWalk(follows func(*Edge) bool) *Walk[*Choice] {
	return &Walk[*Choice]{
		Edges: func(c *Choice) []Edge { return c.Edges },
		Next: func(_ *Choice, e *Edge) *Choice {
			if follows(e) {
				return e.Stage
			}
			return nil
		},
	}
}

// isAny accepts every edge.
func isAny(*Edge) bool { return true }

// isDependency accepts the edges to stages that files or a config come from.
func isDependency(e *Edge) bool { return e.Reference.Kind != syntax.Needs }

// isInConversion accepts the edges to stages that BuildKit converts together with
// their user: those of the same lowered file.
func isInConversion(e *Edge) bool { return isDependency(e) && e.Input == nil }
