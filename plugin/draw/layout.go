package draw

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/d2lang/dagro"

	"github.com/stagebuild/stagebuild/frontend/graph"
)

// Measures of a picture, in pixels. The texts are of fonts whose letters are all
// equally wide, so that what fits does so on any machine.
const (
	letter      = 7.3 // of a box
	smallLetter = 6.1 // of a line's label
	row         = 16.0
	smallRow    = 12.0
	padding     = 10.0
	lineGap     = 9.0 // between the heads of arrows
	margin      = 16.0
)

// placement is where everything of a scene is.
type placement struct {
	width, height float64
	boxes         []rect    // by box.index
	rooms         []float64 // before them, for the labels of far lines
	routes        []route
}

// rect is a rectangle by its left upper corner.
type rect struct{ x, y, w, h float64 }

// route is how a line runs: level through columns, and curved between them.
type route struct {
	stops []stop
	// label is the left end of where the label stands, on top of the line.
	labelX, labelY float64
}

// stop is a level part of a route.
type stop struct{ left, right, y float64 }

// place lays a scene out in columns, from left to right.
func place(s *scene) (*placement, error) {
	if len(s.boxes) == 0 { // dagro takes none
		return &placement{width: 2 * margin, height: 2 * margin}, nil
	}
	g := dagro.NewGraph(dagro.GraphOptions{Multigraph: true}).SetGraph(dagro.Attrs{
		"rankdir": "LR", "nodesep": 18.0, "edgesep": 6.0, "ranksep": 88.0,
		// Twice as fast as the default for a hundred stages, and drawn as well.
		"ranker": "tight-tree",
	})
	s.part()
	incoming := s.incoming()
	p := &placement{boxes: make([]rect, len(s.boxes)), rooms: make([]float64, len(s.boxes)), routes: make([]route, len(s.lines))}
	for i, b := range s.boxes {
		p.boxes[i] = size(b, float64(len(incoming[i])+1)*s.gap(incoming[i]))
		p.rooms[i] = s.room(incoming[i])
		g.SetNode(strconv.Itoa(i), dagro.Attrs{"width": p.boxes[i].w + p.rooms[i], "height": p.boxes[i].h})
	}
	for i, l := range s.lines {
		if l.far {
			continue
		}
		w, h := labelSize(l)
		g.SetEdge(strconv.Itoa(l.from.index), strconv.Itoa(l.to.index), dagro.Attrs{"width": w, "height": h, "labelpos": "c"}, strconv.Itoa(i))
	}
	for _, pair := range kin(s) {
		g.SetEdge(strconv.Itoa(pair[0]), strconv.Itoa(pair[1]), dagro.Attrs{"width": 0.0, "height": 0.0, "weight": 0.0}, "kin")
	}
	if err := dagro.Layout(g); err != nil {
		return nil, fmt.Errorf("laying out the graph: %w", err)
	}
	columns := p.settle(g)
	for i, l := range s.lines {
		to, room := p.boxes[l.to.index], p.rooms[l.to.index]
		if l.far {
			p.routes[i] = routeFar(to, room)
			continue
		}
		edge := g.EdgeByArgs(strconv.Itoa(l.from.index), strconv.Itoa(l.to.index), strconv.Itoa(i)).(dagro.Attrs)
		from := g.Node(strconv.Itoa(l.from.index)).(dagro.Attrs)["x"].(float64)
		p.routes[i] = columns.route(edge, p.boxes[l.from.index], columns[key(from)].right, to, room)
	}
	p.spread(s, incoming)
	p.frame()
	return p, nil
}

// incoming returns which lines end at each box.
func (s *scene) incoming() [][]int {
	lines := make([][]int, len(s.boxes))
	for i, l := range s.lines {
		lines[l.to.index] = append(lines[l.to.index], i)
	}
	return lines
}

// size returns the size of a box: as wide as its texts, as high as these and as what
// the lines take up that end there.
func size(b *box, ends float64) rect {
	letters := columnsOf(b.name)
	for _, text := range b.rows {
		letters = max(letters, columnsOf(text))
	}
	return rect{
		w: math.Ceil(float64(letters)*letter) + 2*padding,
		h: max(float64(1+len(b.rows))*row+padding, ends),
	}
}

func labelSize(l *line) (w, h float64) {
	letters, rows := 0, l.rows()
	for _, text := range rows {
		letters = max(letters, columnsOf(text))
	}
	return math.Ceil(float64(letters) * smallLetter), float64(len(rows)) * smallRow
}

// columnsOf returns how many letters wide a text is at most: those of some scripts are
// twice as wide.
func columnsOf(text string) int {
	n := utf8.RuneCountInString(text)
	for _, r := range text {
		if r >= 0x1100 {
			n++
		}
	}
	return n
}

// kin returns pairs of boxes that belong together, and that no line keeps so: variants
// that were dropped stand before what uses the one that was chosen.
func kin(s *scene) [][2]int {
	linked, users := map[int]bool{}, map[string][]int{}
	for _, l := range s.lines {
		linked[l.from.index], linked[l.to.index] = true, true
		if l.from.node.Kind == graph.Stage {
			users[l.from.node.Name] = append(users[l.from.node.Name], l.to.index)
		}
	}
	var pairs [][2]int
	for _, b := range s.boxes {
		if to := users[b.node.Name]; b.node.Kind == graph.Stage && !linked[b.index] && len(to) > 0 {
			pairs = append(pairs, [2]int{b.index, to[0]})
		}
	}
	return pairs
}

// columns are the ranges that boxes and labels take up, by their middle.
type columns map[float64]*stop

func (c columns) widen(x, w float64) {
	column := c[key(x)]
	if column == nil {
		column = &stop{left: x, right: x}
		c[key(x)] = column
	}
	column.left, column.right = min(column.left, x-w/2), max(column.right, x+w/2)
}

// key makes one number of those that computing has made differ a little.
func key(x float64) float64 { return math.Round(x) }

// settle takes over where the boxes are, each at the left of its column, behind its
// room.
func (p *placement) settle(g *dagro.Graph) columns {
	c := columns{}
	for i := range p.boxes {
		c.widen(g.Node(strconv.Itoa(i)).(dagro.Attrs)["x"].(float64), p.boxes[i].w+p.rooms[i])
	}
	for _, e := range g.Edges() {
		edge := g.Edge(e).(dagro.Attrs)
		if x, ok := edge["x"].(float64); ok {
			c.widen(x, edge["width"].(float64))
		}
	}
	for i := range p.boxes {
		node := g.Node(strconv.Itoa(i)).(dagro.Attrs)
		p.boxes[i].x = c[key(node["x"].(float64))].left + p.rooms[i]
		p.boxes[i].y = node["y"].(float64) - p.boxes[i].h/2
	}
	return c
}

// route returns the way of a line from one box, whose column ends somewhere, to
// another, which has a room before it. Its points are in the middles of columns but for
// the first and the last, which are at the boxes.
func (c columns) route(edge dagro.Attrs, from rect, end float64, to rect, room float64) route {
	points := edge["points"].([]dagro.Point)
	r := route{stops: []stop{{left: from.x + from.w, right: end, y: from.y + from.h/2}}}
	for _, point := range points[1 : len(points)-1] {
		column := c[key(point.X)]
		if column == nil {
			column = &stop{left: point.X, right: point.X}
		}
		r.stops = append(r.stops, stop{left: column.left, right: column.right, y: point.Y})
	}
	r.stops = append(r.stops, stop{left: to.x - room, right: to.x, y: to.y + to.h/2})
	r.labelX, r.labelY = edge["x"].(float64)-edge["width"].(float64)/2, edge["y"].(float64)
	return r
}

// spread has the lines that end at one box do so side by side, in the order in which
// they come. The far ones are between those from above and those from below.
func (p *placement) spread(s *scene, incoming [][]int) {
	for to, routes := range incoming {
		before := func(i int) float64 { stops := p.routes[i].stops; return stops[max(len(stops)-2, 0)].y }
		slices.SortStableFunc(routes, func(a, b int) int { return cmp.Compare(before(a), before(b)) })
		middle, gap := p.boxes[to].y+p.boxes[to].h/2, s.gap(routes)
		for k, i := range routes {
			r := &p.routes[i]
			r.stops[len(r.stops)-1].y = middle + (float64(k)-float64(len(routes)-1)/2)*gap
			if s.lines[i].far {
				r.labelY = r.stops[0].y
			}
		}
	}
}

// frame moves everything to where it is visible, and finds the picture's size.
func (p *placement) frame() {
	top, left := math.Inf(1), math.Inf(1)
	bottom, right := math.Inf(-1), math.Inf(-1)
	take := func(x, y, w, h float64) {
		left, top, right, bottom = min(left, x), min(top, y), max(right, x+w), max(bottom, y+h)
	}
	for _, b := range p.boxes {
		take(b.x, b.y, b.w, b.h)
	}
	for _, r := range p.routes {
		for _, s := range r.stops {
			take(s.left, s.y-smallRow, s.right-s.left, smallRow)
		}
	}
	for i := range p.boxes {
		p.boxes[i].x += margin - left
		p.boxes[i].y += margin - top
	}
	for i := range p.routes {
		r := &p.routes[i]
		r.labelX, r.labelY = r.labelX+margin-left, r.labelY+margin-top
		for k := range r.stops {
			s := &r.stops[k]
			s.left, s.right, s.y = s.left+margin-left, s.right+margin-left, s.y+margin-top
		}
	}
	p.width, p.height = math.Ceil(right-left+2*margin), math.Ceil(bottom-top+2*margin)
}
