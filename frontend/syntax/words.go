package syntax

import (
	"strings"
	"unicode"
)

// head is a logical line cut into keyword, flags and arguments (splitCommand and
// extractBuilderFlags in BuildKit's split_command.go). Offsets are logical.
type head struct {
	line     string
	keyword  string // lower case
	flags    []rawFlag
	argStart int // where the arguments begin
	argEnd   int
	// unterminated is the offset of a quote that a flag opens and nothing
	// closes, or -1.
	unterminated int
}

// rawFlag is one word of flags as written, quotes and escapes included.
type rawFlag struct {
	start, end int
}

func (h head) args() string {
	return strings.TrimSpace(h.line[h.argStart:h.argEnd])
}

func splitHead(line string, escape byte) head {
	trimmed := strings.TrimLeftFunc(line, unicode.IsSpace)
	start := len(line) - len(trimmed)
	end := start + len(strings.TrimSpace(trimmed))
	h := head{line: line, argStart: end, argEnd: end, unterminated: -1}

	// The keyword ends at ASCII white space only (reWhitespace), flags at what
	// unicode.IsSpace says of single bytes.
	word := strings.IndexAny(line[start:end], "\t\v\f\r ")
	if word < 0 {
		h.keyword = strings.ToLower(line[start:end])
		return h
	}
	h.keyword = strings.ToLower(line[start : start+word])
	pos := start + word
	for {
		for pos < end && isSpaceByte(line[pos]) {
			pos++
		}
		if !strings.HasPrefix(line[pos:end], "--") {
			break
		}
		stop, quote := wordEnd(line[:end], pos, escape)
		// "--" alone ends the flags, with any number of quotes around nothing.
		if strings.Trim(line[pos+2:stop], string([]byte{'\'', '"', escape})) == "" && unquote(line, pos, stop, escape).string == "--" {
			pos = stop
			break
		}
		if quote >= 0 {
			h.unterminated = quote
		}
		h.flags = append(h.flags, rawFlag{pos, stop})
		pos = stop
	}
	h.argStart = pos
	for h.argStart < end && isSpaceByte(line[h.argStart]) {
		h.argStart++
	}
	return h
}

// wordEnd returns where the flag that begins at pos ends, and where a quote that
// is never closed begins, or -1.
func wordEnd(line string, pos int, escape byte) (end, unterminated int) {
	quoteAt := -1
	for ; pos < len(line); pos++ {
		c := line[pos]
		switch {
		case c == escape:
			pos++
		case quoteAt >= 0:
			if c == line[quoteAt] {
				quoteAt = -1
			}
		case c == '\'' || c == '"':
			quoteAt = pos
		case isSpaceByte(c):
			return pos, -1
		}
	}
	return len(line), quoteAt
}

// isSpaceByte is how BuildKit tests for space between flags: byte by byte, so
// that 0x85 and 0xA0 inside a UTF-8 sequence count.
func isSpaceByte(c byte) bool {
	return unicode.IsSpace(rune(c))
}

// value is a word without its quotes and escapes, with the way back: byte i of
// the string was written as the logical bytes [start[i], end[i]).
type value struct {
	string
	start, end []int
}

// unquote reads the raw logical bytes [start, end) of a line as BuildKit reads
// flags: either quote, the escape character inside both.
func unquote(line string, start, end int, escape byte) value {
	var v value
	var b strings.Builder
	var quote byte
	for pos := start; pos < end; pos++ {
		c, from := line[pos], pos
		switch {
		case c == escape && pos+1 < end:
			pos++
			c = line[pos]
		case c == escape:
			continue
		case quote != 0 && c == quote:
			quote = 0
			continue
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
			continue
		}
		b.WriteByte(c)
		v.start = append(v.start, from)
		v.end = append(v.end, pos+1)
	}
	v.string = b.String()
	return v
}

// slice returns the bytes [i, j) of a value.
func (v value) slice(i, j int) value {
	return value{v.string[i:j], v.start[i:j], v.end[i:j]}
}

// splitWords splits arguments as BuildKit does for ARG and ENV (parseWords in
// line_parsers.go): at spaces, keeping quotes and escapes.
func splitWords(args string, escape byte) []string {
	var words []string
	quote := rune(0)
	runes := []rune(args)
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			words = append(words, b.String())
		}
		b.Reset()
	}
	for i := 0; i < len(runes); i++ {
		c := runes[i]
		switch {
		case quote == 0 && unicode.IsSpace(c):
			flush()
			continue
		case c == rune(escape) && quote != '\'':
			if i+1 == len(runes) {
				continue
			}
			b.WriteRune(c)
			i++
			c = runes[i]
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		}
		b.WriteRune(c)
	}
	flush()
	return words
}
