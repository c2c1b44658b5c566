package draw

import (
	"cmp"
	"math"
	"slices"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/frontend/source"
)

// newPictures returns pictures of several graphs of one parsed file. They share the layout of
// their union: a node that several of them show has the same position in all, so that a
// reader who switches between them sees the differences.
func newPictures(graphs ...*graph.Graph) ([]*picture, error) {
	scenes := make([]*scene, len(graphs))
	for i, g := range graphs {
		scenes[i] = newScene(g)
	}
	u := newUnion(scenes)
	whole, err := layOut(&u.scene)
	if err != nil {
		return nil, err
	}
	list := make([]*picture, len(scenes))
	for i, s := range scenes {
		list[i] = &picture{scene: s, layout: u.layoutOf(s, whole)}
	}
	return list, nil
}

// union is a scene with the boxes and lines of several scenes. Each is as large as the
// largest of its kind in those scenes.
type union struct {
	scene

	boxByID   map[string]*box
	lineByKey map[lineKey]*line
}

// lineKey identifies a line in all graphs of one file by its first edge.
type lineKey struct {
	stage, uses, kind, reference string
	span                         source.Span
}

func (l *line) key() lineKey {
	e := l.edges[0]
	return lineKey{e.Stage, e.Uses, e.Kind, e.Reference, e.Span}
}

// newUnion returns the union of scenes.
func newUnion(scenes []*scene) *union {
	u := &union{boxByID: map[string]*box{}, lineByKey: map[lineKey]*line{}}
	for _, s := range scenes {
		for _, b := range s.boxes {
			u.addBox(b)
		}
		for _, l := range s.lines {
			u.addLine(l)
		}
	}
	// Restore the order of a graph, because the layout depends on the order.
	slices.SortStableFunc(u.boxes, func(a, b *box) int { return cmp.Compare(fileOrder(a), fileOrder(b)) })
	for i, b := range u.boxes {
		b.index = i
	}
	slices.SortStableFunc(u.lines, func(a, b *line) int {
		return cmp.Or(cmp.Compare(a.to.index, b.to.index), cmp.Compare(a.edges[0].Line, b.edges[0].Line))
	})
	for i, l := range u.lines {
		l.index = i
	}
	return u
}

// fileOrder orders stages by their lines. Images and contexts come after the stages.
func fileOrder(b *box) int {
	if b.node.Kind == graph.Stage {
		return b.node.Line
	}
	return math.MaxInt
}

func (u *union) addBox(b *box) {
	known := u.boxByID[b.node.ID]
	if known == nil {
		known = &box{node: b.node, name: b.name}
		u.boxByID[b.node.ID] = known
		u.boxes = append(u.boxes, known)
	}
	for i, text := range b.rows {
		if i == len(known.rows) {
			known.rows = append(known.rows, text)
		}
		known.rows[i] = wider(known.rows[i], text)
	}
}

func (u *union) addLine(l *line) {
	known := u.lineByKey[l.key()]
	if known == nil {
		known = &line{from: u.boxByID[l.from.node.ID], to: u.boxByID[l.to.node.ID], edges: l.edges}
		u.lineByKey[l.key()] = known
		u.lines = append(u.lines, known)
	}
	known.label, known.mark = wider(known.label, l.label), wider(known.mark, l.mark)
}

func wider(a, b string) string {
	if textWidth(b) > textWidth(a) {
		return b
	}
	return a
}

// layoutOf returns the layout of one of the scenes, taken from that of the union.
func (u *union) layoutOf(s *scene, whole *layout) *layout {
	own := &layout{width: whole.width, height: whole.height}
	for _, b := range s.boxes {
		own.boxes = append(own.boxes, whole.boxes[u.boxByID[b.node.ID].index])
	}
	for _, l := range s.lines {
		known := u.lineByKey[l.key()]
		l.stub = known.stub
		own.routes = append(own.routes, whole.routes[known.index])
	}
	return own
}
