package source

import (
	"bytes"
	"sort"
)

// File is the text of a file. It is immutable and safe for concurrent use.
type File struct {
	// Name is the file's name as the user wrote it, "Dockerfile" for example.
	Name string
	// Data is the whole text, with its byte-order mark if it has one.
	Data []byte

	lines []int // byte offset of each line
}

// NewFile returns a File with the given name and text. It keeps data, which must not
// change afterwards.
func NewFile(name string, data []byte) *File {
	lines := make([]int, 1, 1+bytes.Count(data, []byte{'\n'}))
	for i, b := range data {
		if b == '\n' {
			lines = append(lines, i+1)
		}
	}
	return &File{Name: name, Data: data, lines: lines}
}

// Lines returns the number of lines. A line break at the end of the file ends the last
// line and does not begin another one.
func (f *File) Lines() int {
	n := len(f.lines)
	if f.lines[n-1] == len(f.Data) && n > 1 {
		return n - 1
	}
	return n
}

// Line returns the 1-based line of the byte at offset.
func (f *File) Line(offset int) int {
	return sort.Search(len(f.lines), func(i int) bool { return f.lines[i] > offset })
}

// Pos returns the position of the byte at offset.
func (f *File) Pos(offset int) Pos {
	line := f.Line(offset)
	return Pos{Line: line, Column: offset - f.lines[line-1] + 1}
}

// LineSpan returns the span of a 1-based line without its line break, LF or CRLF.
func (f *File) LineSpan(line int) Span {
	s := f.Span(f.lines[line-1], len(f.Data))
	if line < len(f.lines) {
		s.End = f.lines[line] - 1
	}
	if s.End > s.Start && f.Data[s.End-1] == '\r' {
		s.End--
	}
	return s
}
