package draw

import (
	"cmp"
	"math"
	"slices"

	"github.com/stagebuild/stagebuild/frontend/graph"
)

// pictures returns pictures of graphs that are of one file. What several of them show
// is at one place in all: a reader who goes from one to the next sees what changes, and
// they take one layout together.
func pictures(graphs ...*graph.Graph) ([]*picture, error) {
	scenes := make([]*scene, len(graphs))
	for i, g := range graphs {
		scenes[i] = compose(g)
	}
	t := together(scenes)
	whole, err := place(&t.scene)
	if err != nil {
		return nil, err
	}
	list := make([]*picture, len(scenes))
	for i, s := range scenes {
		list[i] = &picture{scene: s, place: t.part(whole, s)}
	}
	return list, nil
}

// union is a scene with everything that there is in some scenes, each thing as large as
// it is in any of them.
type union struct {
	scene

	boxOf  map[string]*box // by ID
	lineOf map[lineKey]*line
}

// lineKey tells lines apart, of any graphs of one file: no other begins with that edge.
type lineKey struct {
	stage, uses, kind, reference string
	line                         int
}

func (l *line) key() lineKey {
	e := l.edges[0]
	return lineKey{e.Stage, e.Uses, e.Kind, e.Reference, e.Line}
}

// together returns the union of scenes.
func together(scenes []*scene) *union {
	u := &union{boxOf: map[string]*box{}, lineOf: map[lineKey]*line{}}
	for _, s := range scenes {
		for _, b := range s.boxes {
			u.addBox(b)
		}
		for _, l := range s.lines {
			u.addLine(l)
		}
	}
	// In the order of a graph, whatever scene something came from: the layout begins
	// with that.
	slices.SortStableFunc(u.boxes, func(a, b *box) int { return cmp.Compare(rank(a), rank(b)) })
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

// rank puts stages in file order, and what they use behind them.
func rank(b *box) int {
	if b.node.Kind == graph.Stage {
		return b.node.Line
	}
	return math.MaxInt
}

func (u *union) addBox(b *box) {
	known := u.boxOf[b.node.ID]
	if known == nil {
		known = &box{node: b.node, name: b.name}
		u.boxOf[b.node.ID] = known
		u.boxes = append(u.boxes, known)
	}
	for i, text := range b.rows {
		if i == len(known.rows) {
			known.rows = append(known.rows, text)
		}
		known.rows[i] = longer(known.rows[i], text)
	}
}

func (u *union) addLine(l *line) {
	known := u.lineOf[l.key()]
	if known == nil {
		known = &line{from: u.boxOf[l.from.node.ID], to: u.boxOf[l.to.node.ID], edges: l.edges}
		u.lineOf[l.key()] = known
		u.lines = append(u.lines, known)
	}
	known.label, known.mark = longer(known.label, l.label), longer(known.mark, l.mark)
}

func longer(a, b string) string {
	if columnsOf(b) > columnsOf(a) {
		return b
	}
	return a
}

// part returns where the parts of one of the scenes are when the union is placed.
func (u *union) part(whole *placement, s *scene) *placement {
	p := &placement{width: whole.width, height: whole.height}
	for _, b := range s.boxes {
		p.boxes = append(p.boxes, whole.boxes[u.boxOf[b.node.ID].index])
	}
	for _, l := range s.lines {
		known := u.lineOf[l.key()]
		l.far = known.far
		p.routes = append(p.routes, whole.routes[known.index])
	}
	return p
}
