package source

// Span is a half-open range of bytes in a file. Spans of different files are
// never equal, so a Span identifies a place where a line number alone does not.
type Span struct {
	File *File
	// Start and End are byte offsets in the file's Data.
	Start, End int
}

// Pos is a position in a file, counted as editors do.
type Pos struct {
	Line   int // 1-based
	Column int // 1-based, in bytes
}

// Span returns the span of the bytes [start, end).
func (f *File) Span(start, end int) Span {
	return Span{File: f, Start: start, End: end}
}

// Text returns the bytes of the span as a string.
func (s Span) Text() string {
	return string(s.File.Data[s.Start:s.End])
}

// Pos returns the position of the span's first byte.
func (s Span) Pos() Pos {
	return s.File.Pos(s.Start)
}

// LastPos returns the position of the span's last byte, or Pos if the span is empty.
func (s Span) LastPos() Pos {
	return s.File.Pos(max(s.Start, s.End-1))
}

// Lines returns the 1-based lines of the span's first and last byte.
func (s Span) Lines() (first, last int) {
	return s.Pos().Line, s.LastPos().Line
}
