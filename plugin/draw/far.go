package draw

import "slices"

// A line that crosses many columns costs the layout a place in each of them, and the
// reader the thread: beyond these bounds it is drawn as a far one, which begins with
// the name of what it comes from, just before the stage that it leads to.
const (
	maxCrossed = 500 // columns, by all lines of a layout together: that of a page has several pictures
	maxSpan    = 8   // columns from one end of a line to the other, where there are more
	farGap     = 15  // pixels between far lines, which have their label between them
	farTail    = 24  // pixels from the longest label to the box
)

// part decides which lines are far ones: none, unless all lines together cross more
// columns than there may be. Then it is the longest. Each box keeps a line to the next
// column, which crosses none, and so its place.
func (s *scene) part() {
	spans := s.spans()
	longest := slices.Max(append(spans, 0))
	for crossed(spans, longest) > maxCrossed {
		longest = min(longest-1, maxSpan)
	}
	for i, l := range s.lines {
		l.far = spans[i] > longest
	}
}

// crossed returns how many columns lie between the ends of lines, without those that
// are longer than a number of columns.
func crossed(spans []int, longest int) int {
	sum := 0
	for _, span := range spans {
		if span <= longest {
			sum += span - 1
		}
	}
	return sum
}

// spans returns how many columns to the right each line leads: see columns.
func (s *scene) spans() []int {
	column := s.columns()
	spans := make([]int, len(s.lines))
	for i, l := range s.lines {
		spans[i] = max(column[l.from.index]-column[l.to.index], 1)
	}
	return spans
}

// columns returns in which column each box is, counted from the right: as far to the
// right as what uses it allows, or next to what it uses when nothing does. The layout
// begins with that, too.
func (s *scene) columns() []int {
	users := make([][]int, len(s.boxes))
	for _, l := range s.lines {
		users[l.from.index] = append(users[l.from.index], l.to.index)
	}
	column := make([]int, len(s.boxes))
	known := make([]bool, len(s.boxes))
	var visit func(box int) int
	visit = func(box int) int {
		if !known[box] {
			known[box] = true // before its users are, so that a circle ends
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

// room returns how much space a box has before it for the labels of those of the lines
// to it that are far.
func (s *scene) room(lines []int) float64 {
	room := 0.0
	for _, i := range lines {
		if l := s.lines[i]; l.far {
			w, _ := labelSize(l)
			room = max(room, w+farTail)
		}
	}
	return room
}

// gap returns how far apart lines end at a box.
func (s *scene) gap(lines []int) float64 {
	if slices.ContainsFunc(lines, func(i int) bool { return s.lines[i].far }) {
		return farGap
	}
	return lineGap
}

// routeFar returns the way of a far line to a box: through the room before it.
func routeFar(to rect, room float64) route {
	return route{
		stops:  []stop{{left: to.x - room, right: to.x, y: to.y + to.h/2}},
		labelX: to.x - room,
	}
}
