package plan

import (
	"iter"

	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Walk visits choices along their edges, depth first. A node is a *Choice, or a value that
// identifies one in a wider context. A walk visits each node once, even in several calls
// of From.
type Walk[N comparable] struct {
	// Edges returns the edges of a node.
	Edges func(N) []Edge
	// Next returns the node that an edge leads to, or the zero value to stop there.
	Next func(N, *Edge) N

	visited map[N]bool
}

// From yields start and the nodes that it leads to. It yields each node with a nil edge
// first, and then with each of its edges, after everything that the edge leads to. So the
// edges of a dependency come before the edge that leads to it.
func (w *Walk[N]) From(start N) iter.Seq2[N, *Edge] {
	return func(yield func(N, *Edge) bool) {
		w.visit(start, yield)
	}
}

// visit returns false if yield ended the walk.
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

// newWalk returns a walk along the edges that follows accepts.
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

// isDependency accepts the edges to stages that supply files or a base. Needed stages
// supply neither.
func isDependency(e *Edge) bool { return e.Reference.Kind != syntax.Needs }

// isInConversion accepts the edges to stages of the same lowered file, which BuildKit
// converts together.
func isInConversion(e *Edge) bool { return isDependency(e) && e.Input == nil }
