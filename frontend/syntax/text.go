package syntax

import (
	"sort"

	"github.com/stagebuild/stagebuild/frontend/source"
)

// text is the logical line of an instruction: its lines without continuation characters
// and the comments between them, joined. It maps its bytes to those of the file.
type text struct {
	string
	file *source.File
	// segments map the logical line to the file, in ascending order.
	segments []segment
}

// segment is a run of bytes of a logical line that is contiguous in the file.
type segment struct {
	at     int // offset of its first byte in the logical line
	offset int // offset of its first byte in the file
}

// segment returns the index of the segment that holds the logical byte i.
func (t text) segment(i int) int {
	return sort.Search(len(t.segments), func(k int) bool { return t.segments[k].at > i }) - 1
}

// offset returns the file offset of the logical byte i. At the end of the
// line, that is the offset after its last byte.
func (t text) offset(i int) int {
	if i > 0 && i == len(t.string) {
		return t.offset(i-1) + 1
	}
	s := t.segments[max(0, t.segment(i))]
	return s.offset + i - s.at
}

// spans returns the file spans of the logical bytes [start, end), one for each physical
// line.
func (t text) spans(start, end int) []source.Span {
	var spans []source.Span
	for k := t.segment(start); start < end; k++ {
		stop := end
		if k+1 < len(t.segments) {
			stop = min(end, t.segments[k+1].at)
		}
		if stop > start {
			from := t.segments[k].offset + start - t.segments[k].at
			spans = append(spans, t.file.Span(from, from+stop-start))
		}
		start = stop
	}
	return spans
}

// span returns the file span from the first to the last of the logical bytes
// [start, end).
func (t text) span(start, end int) source.Span {
	if end <= start {
		at := t.offset(start)
		return t.file.Span(at, at)
	}
	return t.file.Span(t.offset(start), t.offset(end-1)+1)
}
