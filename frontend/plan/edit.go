package plan

import (
	"bytes"
	"cmp"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// lowerer collects the edits of one file.
type lowerer struct {
	file   *source.File
	escape byte
	edits  []edit
}

// edit replaces the bytes of a span.
type edit struct {
	source.Span
	text string
}

func (l *lowerer) replace(s source.Span, text string) {
	l.edits = append(l.edits, edit{s, text})
}

// drop turns the lines of an instruction into empty comments, so that a comment
// above them attaches to nothing (comments are reset in BuildKit's parser.go).
func (l *lowerer) drop(in *syntax.Instruction) {
	for line := in.First; line <= in.Last; line++ {
		s := l.file.LineSpan(line)
		if line == 1 && bytes.HasPrefix(l.file.Data, []byte("\xef\xbb\xbf")) {
			s.Start += 3
		}
		l.replace(s, "#")
	}
}

// cut removes the part of a guard flag that stands on one line, with the white
// space behind it or, at the line's end, before it. The last part of a guard that
// ends its instruction takes care that what is left still ends there.
func (l *lowerer) cut(in *syntax.Instruction, flag source.Span, last bool) {
	number := l.file.Line(flag.Start)
	line := l.file.LineSpan(number)
	data := l.file.Data
	for flag.End < line.End && isBlank(data[flag.End]) {
		flag.End++
	}
	left := bytes.TrimRight(l.left(line, flag.Start), " \t\v\f")
	marker := ""
	if number != in.First && len(bytes.TrimSpace(left)) == 0 {
		marker = markerBefore(data[flag.End:line.End])
	}
	if marker == "" && last && !l.endsSafely(left) {
		marker = endOfFlags
	}
	if flag.End == line.End && marker == "" {
		flag.Start = line.Start + len(left)
		if n := len(l.edits); n > 0 {
			flag.Start = max(flag.Start, l.edits[n-1].End)
		}
	}
	l.replace(flag, marker)
}

// endOfFlags says nothing where flags end anyway.
const endOfFlags = "--"

// markerBefore returns what to write in front of the rest of a continuation line
// of which nothing else is left. An empty one would join the next instruction, and
// one that begins with # would be a comment. It is written once: what is cut later
// stands right of it.
func markerBefore(rest []byte) string {
	rest = bytes.TrimLeftFunc(rest, unicode.IsSpace)
	switch {
	case len(rest) == 0:
		return endOfFlags
	case rest[0] == '#':
		return endOfFlags + " "
	}
	return ""
}

// endsSafely reports whether text stays as it is at the end of an instruction.
// There an escape character would continue the line, and BuildKit trims a space
// beyond ASCII, also one whose first byte it took for part of another flag.
func (l *lowerer) endsSafely(text []byte) bool {
	n := len(text)
	return n > 0 && text[n-1] < utf8.RuneSelf && text[n-1] != l.escape
}

// left returns what stands on a line before offset, with spaces for what was cut.
func (l *lowerer) left(line source.Span, offset int) []byte {
	left := slices.Clone(l.file.Data[line.Start:offset])
	for _, e := range slices.Backward(l.edits) {
		if e.End <= line.Start {
			break
		}
		for i := max(e.Start, line.Start); i < min(e.End, offset); i++ {
			left[i-line.Start] = ' '
		}
	}
	return left
}

func isBlank(b byte) bool {
	return b == ' ' || b == '\t'
}

// addPlatform gives a FROM a --platform: right behind the keyword, or in the place of an
// empty one. Behind "--", BuildKit reads no flags.
func (l *lowerer) addPlatform(from *syntax.Instruction, platform guard.Platform) {
	flag := "--platform=" + guard.FormatPlatform(platform)
	spans := from.PlatformFlag()
	if spans[0].Start == spans[0].End {
		flag = " " + flag
	}
	l.rewrite(spans, flag)
}

func (l *lowerer) rewriteReference(ref *syntax.Reference, name string) {
	if ref.Text != name && ref.Text != "" {
		l.rewrite(ref.Bytes(), name)
	}
}

// rewrite puts a name in the place of bytes that may stand on several lines. It goes
// to the last of them: a continuation line of which nothing is left would join the
// next instruction.
func (l *lowerer) rewrite(old []source.Span, name string) {
	last := l.file.LineSpan(l.file.Line(old[len(old)-1].Start)).Start
	for _, s := range old {
		if s.Start < last {
			l.replace(s, "")
			continue
		}
		l.replace(s, name)
		name = ""
	}
}

// apply returns the file with all edits made.
func (l *lowerer) apply() []byte {
	slices.SortStableFunc(l.edits, func(a, b edit) int { return cmp.Or(a.Start-b.Start, a.End-b.End) })
	out := make([]byte, 0, len(l.file.Data))
	pos := 0
	for _, e := range l.edits {
		out = append(out, l.file.Data[pos:e.Start]...)
		out = append(out, e.text...)
		pos = e.End
	}
	return append(out, l.file.Data[pos:]...)
}
