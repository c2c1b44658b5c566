package draw

import "slices"

// A line that crosses many columns is slow to lay out and hard to follow. Beyond these
// limits only a stub of it is drawn, just before the stage that it leads to. The stub's
// label begins with the name of the node that the line comes from.
const (
	maxCrossed = 500 // columns that all lines of a layout may cross
	maxSpan    = 8   // columns between the ends of a line, if that is exceeded
	stubGap    = 15  // pixels between stubs, which have their labels between them
	stubTail   = 24  // pixels from the longest label to the box
)

// chooseStubs chooses the lines that are drawn as stubs: none, or the longest ones if
// the lines cross more columns than the limit. A line to the next column, which crosses
// none, is never a stub: it keeps its box in that column.
func (s *scene) chooseStubs() {
	spans := s.spans()
	longest := slices.Max(append(spans, 0))
	for countCrossed(spans, longest) > maxCrossed {
		longest = min(longest-1, maxSpan)
	}
	for i, l := range s.lines {
		l.stub = spans[i] > longest
	}
}

// countCrossed returns the number of columns that lines cross, except for lines that
// span more than longest columns.
func countCrossed(spans []int, longest int) int {
	sum := 0
	for _, span := range spans {
		if span <= longest {
			sum += span - 1
		}
	}
	return sum
}

// spans returns the number of columns between the ends of each line, at least 1.
func (s *scene) spans() []int {
	column := s.columnIndexes()
	spans := make([]int, len(s.lines))
	for i, l := range s.lines {
		spans[i] = max(column[l.from.index]-column[l.to.index], 1)
	}
	return spans
}

// columnIndexes returns the column of each box, counted from the right. A box is to the
// left of all boxes that use it. One that nothing uses is next to the boxes that it uses.
// The layout algorithm starts with the same columns.
func (s *scene) columnIndexes() []int {
	users := make([][]int, len(s.boxes))
	for _, l := range s.lines {
		users[l.from.index] = append(users[l.from.index], l.to.index)
	}
	column := make([]int, len(s.boxes))
	known := make([]bool, len(s.boxes))
	var visit func(box int) int
	visit = func(box int) int {
		if !known[box] {
			known[box] = true // before the users, so that a cycle ends
			for _, user := range users[box] {
				column[box] = max(column[box], visit(user)+1)
			}
		}
		return column[box]
	}
	moved := map[int]int{}
	for _, l := range s.lines {
		next := visit(l.from.index) - 1
		if column, ok := moved[l.to.index]; len(users[l.to.index]) == 0 && (!ok || next < column) {
			moved[l.to.index] = next
		}
	}
	for box, to := range moved {
		column[box] = to
	}
	return column
}

// stubWidth returns the width of the longest stub among the lines to a box, or 0.
func (s *scene) stubWidth(lines []int) float64 {
	width := 0.0
	for _, i := range lines {
		if l := s.lines[i]; l.stub {
			w, _ := labelSize(l)
			width = max(width, w+stubTail)
		}
	}
	return width
}

// endGap returns the distance between the ends of the lines to a box.
func (s *scene) endGap(lines []int) float64 {
	if slices.ContainsFunc(lines, func(i int) bool { return s.lines[i].stub }) {
		return stubGap
	}
	return lineGap
}

// stubRoute returns the route of a stub of some width to a box.
func stubRoute(to rect, width float64) route {
	return route{
		stops:  []stop{{left: to.x - width, right: to.x, y: to.y + to.h/2}},
		labelX: to.x - width,
	}
}
