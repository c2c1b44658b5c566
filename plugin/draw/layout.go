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

// Sizes in pixels. The font is monospaced, so that a text has the same width on every
// machine.
const (
	charWidth      = 7.3 // in a box
	labelCharWidth = 6.1 // in a line's label
	rowHeight      = 16.0
	labelRowHeight = 12.0
	padding        = 10.0
	lineGap        = 9.0 // between arrow heads
	margin         = 16.0
)

// layout has the positions and sizes of a scene's boxes and lines.
type layout struct {
	width, height float64
	boxes         []rect    // by box.index
	stubWidths    []float64 // of the stubs to the left of each box
	routes        []route   // by the line's index
}

// rect is a rectangle. x and y are its upper left corner.
type rect struct{ x, y, w, h float64 }

// route is the path of a line: horizontal within columns, and curved between them.
type route struct {
	stops []stop
	// labelX is the left end of the label, and labelY is its baseline.
	labelX, labelY float64
}

// stop is a horizontal part of a route.
type stop struct{ left, right, y float64 }

// layOut lays a scene out in columns, from left to right.
func layOut(s *scene) (*layout, error) {
	if len(s.boxes) == 0 { // dagro fails on an empty graph
		return &layout{width: 2 * margin, height: 2 * margin}, nil
	}
	g := dagro.NewGraph(dagro.GraphOptions{Multigraph: true}).SetGraph(dagro.Attrs{
		"rankdir": "LR", "nodesep": 18.0, "edgesep": 6.0, "ranksep": 88.0,
		// Twice as fast as the default for a hundred stages, with as good a result.
		"ranker": "tight-tree",
	})
	s.chooseStubs()
	incoming := s.incoming()
	p := &layout{boxes: make([]rect, len(s.boxes)), stubWidths: make([]float64, len(s.boxes)), routes: make([]route, len(s.lines))}
	for i, b := range s.boxes {
		p.boxes[i] = boxSize(b, float64(len(incoming[i])+1)*s.endGap(incoming[i]))
		p.stubWidths[i] = s.stubWidth(incoming[i])
		g.SetNode(strconv.Itoa(i), dagro.Attrs{"width": p.boxes[i].w + p.stubWidths[i], "height": p.boxes[i].h})
	}
	for i, l := range s.lines {
		if l.stub {
			continue
		}
		w, h := labelSize(l)
		g.SetEdge(strconv.Itoa(l.from.index), strconv.Itoa(l.to.index), dagro.Attrs{"width": w, "height": h, "labelpos": "c"}, strconv.Itoa(i))
	}
	for _, pair := range variantPairs(s) {
		g.SetEdge(strconv.Itoa(pair[0]), strconv.Itoa(pair[1]), dagro.Attrs{"width": 0.0, "height": 0.0, "weight": 0.0}, "variants")
	}
	if err := dagro.Layout(g); err != nil {
		return nil, fmt.Errorf("laying out the graph: %w", err)
	}
	columns := p.alignColumns(g)
	for i, l := range s.lines {
		to, width := p.boxes[l.to.index], p.stubWidths[l.to.index]
		if l.stub {
			p.routes[i] = stubRoute(to, width)
			continue
		}
		edge := g.EdgeByArgs(strconv.Itoa(l.from.index), strconv.Itoa(l.to.index), strconv.Itoa(i)).(dagro.Attrs)
		from := g.Node(strconv.Itoa(l.from.index)).(dagro.Attrs)["x"].(float64)
		p.routes[i] = columns.route(edge, p.boxes[l.from.index], columns[columnKey(from)].right, to, width)
	}
	p.separateEnds(s, incoming)
	p.crop()
	return p, nil
}

// incoming returns the indexes of the lines that end at each box.
func (s *scene) incoming() [][]int {
	lines := make([][]int, len(s.boxes))
	for i, l := range s.lines {
		lines[l.to.index] = append(lines[l.to.index], i)
	}
	return lines
}

// boxSize returns the size of a box. It has room for its texts, and for the ends of its
// incoming lines, which need the height ends.
func boxSize(b *box, ends float64) rect {
	letters := textWidth(b.name)
	for _, text := range b.rows {
		letters = max(letters, textWidth(text))
	}
	return rect{
		w: math.Ceil(float64(letters)*charWidth) + 2*padding,
		h: max(float64(1+len(b.rows))*rowHeight+padding, ends),
	}
}

// labelSize returns the size of a line's label.
func labelSize(l *line) (w, h float64) {
	letters, rows := 0, l.rows()
	for _, text := range rows {
		letters = max(letters, textWidth(text))
	}
	return math.Ceil(float64(letters) * labelCharWidth), float64(len(rows)) * labelRowHeight
}

// textWidth returns the width of a text in characters. It counts every character of a
// script that has wide ones, such as Chinese, as two.
func textWidth(text string) int {
	n := utf8.RuneCountInString(text)
	for _, r := range text {
		if r >= 0x1100 {
			n++
		}
	}
	return n
}

// variantPairs pairs each dropped variant without lines with a box that uses the
// selected variant, so that the layout puts both in neighboring columns.
func variantPairs(s *scene) [][2]int {
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

// columnRanges are the horizontal ranges of the columns, by columnKey of their middle.
type columnRanges map[float64]*stop

// widen makes room in the column at x for a box or label of width w.
func (c columnRanges) widen(x, w float64) {
	column := c[columnKey(x)]
	if column == nil {
		column = &stop{left: x, right: x}
		c[columnKey(x)] = column
	}
	column.left, column.right = min(column.left, x-w/2), max(column.right, x+w/2)
}

// columnKey removes rounding errors from the middle of a column.
func columnKey(x float64) float64 { return math.Round(x) }

// alignColumns sets the positions of the boxes, at the left of their columns but to the
// right of their stubs.
func (p *layout) alignColumns(g *dagro.Graph) columnRanges {
	c := columnRanges{}
	for i := range p.boxes {
		c.widen(g.Node(strconv.Itoa(i)).(dagro.Attrs)["x"].(float64), p.boxes[i].w+p.stubWidths[i])
	}
	for _, e := range g.Edges() {
		edge := g.Edge(e).(dagro.Attrs)
		if x, ok := edge["x"].(float64); ok {
			c.widen(x, edge["width"].(float64))
		}
	}
	for i := range p.boxes {
		node := g.Node(strconv.Itoa(i)).(dagro.Attrs)
		p.boxes[i].x = c[columnKey(node["x"].(float64))].left + p.stubWidths[i]
		p.boxes[i].y = node["y"].(float64) - p.boxes[i].h/2
	}
	return c
}

// route returns the route of an edge between two boxes. The column of the first box ends
// at end, and the second box has stubs of some width. The edge's points are in the middle
// of columns, except for the first and the last point, which are at the boxes.
func (c columnRanges) route(edge dagro.Attrs, from rect, end float64, to rect, stubWidth float64) route {
	points := edge["points"].([]dagro.Point)
	r := route{stops: []stop{{left: from.x + from.w, right: end, y: from.y + from.h/2}}}
	for _, point := range points[1 : len(points)-1] {
		column := c[columnKey(point.X)]
		if column == nil {
			column = &stop{left: point.X, right: point.X}
		}
		r.stops = append(r.stops, stop{left: column.left, right: column.right, y: point.Y})
	}
	r.stops = append(r.stops, stop{left: to.x - stubWidth, right: to.x, y: to.y + to.h/2})
	r.labelX, r.labelY = edge["x"].(float64)-edge["width"].(float64)/2, edge["y"].(float64)
	return r
}

// separateEnds puts the ends of a box's incoming lines side by side, in the order in
// which the lines arrive. Stubs are between the lines from above and those from below.
func (p *layout) separateEnds(s *scene, incoming [][]int) {
	for to, routes := range incoming {
		before := func(i int) float64 { stops := p.routes[i].stops; return stops[max(len(stops)-2, 0)].y }
		slices.SortStableFunc(routes, func(a, b int) int { return cmp.Compare(before(a), before(b)) })
		middle, gap := p.boxes[to].y+p.boxes[to].h/2, s.endGap(routes)
		for k, i := range routes {
			r := &p.routes[i]
			r.stops[len(r.stops)-1].y = middle + (float64(k)-float64(len(routes)-1)/2)*gap
			if s.lines[i].stub {
				r.labelY = r.stops[0].y
			}
		}
	}
}

// crop moves everything to the upper left corner, and sets the picture's size.
func (p *layout) crop() {
	top, left := math.Inf(1), math.Inf(1)
	bottom, right := math.Inf(-1), math.Inf(-1)
	include := func(x, y, w, h float64) {
		left, top, right, bottom = min(left, x), min(top, y), max(right, x+w), max(bottom, y+h)
	}
	for _, b := range p.boxes {
		include(b.x, b.y, b.w, b.h)
	}
	for _, r := range p.routes {
		for _, s := range r.stops {
			include(s.left, s.y-labelRowHeight, s.right-s.left, labelRowHeight)
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
