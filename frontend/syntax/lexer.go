package syntax

import (
	"bytes"
	"slices"
	"strings"
	"unicode"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/stagebuild/stagebuild/frontend/source"
)

// lexer cuts a file into instructions exactly as BuildKit does (Parse in
// frontend/dockerfile/parser/parser.go), with comments, continuation lines and heredocs.
type lexer struct {
	file       *source.File
	data       string // the whole file
	line       int    // 1-based line that next reads
	escape     byte
	directives parser.DirectiveParser
	buf        []byte
	segments   []segment // of all instructions
}

// rawInstruction is an instruction whose flags and arguments are not parsed yet.
type rawInstruction struct {
	text        text
	first, last int // 1-based lines
	// unterminated is the name of a heredoc without an end, or "".
	unterminated string
}

var bom = []byte{0xEF, 0xBB, 0xBF}

// next returns the next instruction. It returns false at the end of the file.
func (l *lexer) next() (rawInstruction, bool) {
	for l.line <= l.file.Lines() {
		first := l.line
		line, offset := l.read()
		if first == 1 && bytes.HasPrefix(line, bom) {
			line, offset = line[len(bom):], offset+len(bom)
		}
		trimmed := bytes.TrimLeftFunc(line, unicode.IsSpace)
		offset += len(line) - len(trimmed)
		l.directive(trimmed)
		if isComment(trimmed) {
			continue
		}
		content, continued := l.continuation(trimmed)
		if !continued && len(content) == 0 {
			continue
		}
		raw := rawInstruction{first: first, text: l.join(content, offset, continued)}
		raw.last = l.line - 1
		l.heredocs(&raw)
		return raw, true
	}
	return rawInstruction{}, false
}

// read returns the current line without its line break and the offset of its first
// byte, and advances to the next line.
func (l *lexer) read() ([]byte, int) {
	s := l.file.LineSpan(l.line)
	l.line++
	// BuildKit strips every CR before the LF (trimNewline).
	return bytes.TrimRight(l.file.Data[s.Start:s.End], "\r"), s.Start
}

// directive reads the parser directives at the top of the file. BuildKit reports
// invalid ones.
func (l *lexer) directive(line []byte) {
	d, err := l.directives.ParseLine(line)
	if err == nil && d != nil && d.Name == "escape" && (d.Value == "`" || d.Value == `\`) {
		l.escape = d.Value[0]
	}
}

// continuation returns a line without the escape character that continues it, and
// whether there is one: the last character before spaces and tabs, not itself escaped.
func (l *lexer) continuation(line []byte) ([]byte, bool) {
	trimmed := bytes.TrimRight(line, " \t")
	n := len(trimmed)
	if n == 0 || trimmed[n-1] != l.escape || n > 1 && trimmed[n-2] == l.escape {
		return line, false
	}
	return trimmed[:n-1], true
}

// join reads continuation lines and returns the logical line.
func (l *lexer) join(content []byte, offset int, continued bool) text {
	first := len(l.segments)
	l.segments = append(l.segments, segment{at: 0, offset: offset})
	if !continued {
		return text{file: l.file, string: l.data[offset : offset+len(content)], segments: slices.Clip(l.segments[first:])}
	}
	l.buf = append(l.buf[:0], content...)
	for continued && l.line <= l.file.Lines() {
		line, offset := l.read()
		if isComment(line) || len(bytes.TrimLeftFunc(line, unicode.IsSpace)) == 0 {
			continue
		}
		content, continued = l.continuation(line)
		l.segments = append(l.segments, segment{at: len(l.buf), offset: offset})
		l.buf = append(l.buf, content...)
	}
	return text{file: l.file, string: string(l.buf), segments: slices.Clip(l.segments[first:])}
}

// heredocs skips the heredocs of an instruction.
func (l *lexer) heredocs(raw *rawInstruction) {
	if !strings.Contains(raw.text.string, "<<") {
		return
	}
	for _, doc := range heredocsOf(raw.text.string, l.escape) {
		if !l.skipTo(doc) {
			raw.unterminated = doc.Name
		}
	}
	raw.last = l.line - 1
}

// skipTo skips the lines of a heredoc, and reports whether it has an end.
func (l *lexer) skipTo(doc parser.Heredoc) bool {
	for l.line <= l.file.Lines() {
		line, _ := l.read()
		if doc.Chomp {
			line = bytes.TrimLeft(line, "\t")
		}
		if string(line) == doc.Name {
			return true
		}
	}
	return false
}

func isComment(line []byte) bool {
	line = bytes.TrimLeftFunc(line, unicode.IsSpace)
	return len(line) > 0 && line[0] == '#'
}
