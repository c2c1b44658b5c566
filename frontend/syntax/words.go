package syntax

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/command"
)

// head is a logical line cut into keyword, flags and arguments (splitCommand and
// extractBuilderFlags in BuildKit's split_command.go). Offsets are logical.
type head struct {
	keyword  string  // lower case
	word     rawFlag // the keyword as written
	flags    []rawFlag
	argStart int // where the arguments begin
	argEnd   int
	// unterminated is the offset of a quote that a flag opens and nothing
	// closes, or -1.
	unterminated int
}

// rawFlag is one word as written, quotes and escapes included.
type rawFlag struct {
	start, end int
}

// args returns the arguments in the line that the head is of.
func (h head) args(line string) string {
	return strings.TrimSpace(line[h.argStart:h.argEnd])
}

func splitHead(line string, escape byte) head {
	trimmed := strings.TrimLeftFunc(line, unicode.IsSpace)
	start := len(line) - len(trimmed)
	end := start + len(strings.TrimSpace(trimmed))
	h := head{argStart: end, argEnd: end, unterminated: -1}

	// The keyword ends at ASCII white space only (reWhitespace), flags at what
	// unicode.IsSpace says of single bytes.
	word := strings.IndexAny(line[start:end], "\t\v\f\r ")
	if word < 0 {
		word = end - start
	}
	h.word = rawFlag{start, start + word}
	h.keyword = lowerKeyword(line[start:h.word.end])
	pos := h.word.end
	for {
		for pos < end && isSpaceByte(line[pos]) {
			pos++
		}
		if !strings.HasPrefix(line[pos:end], "--") {
			break
		}
		stop, quote := wordEnd(line[:end], pos, escape)
		// "--" alone ends the flags, with any number of quotes around nothing.
		if stop == pos+len("--") || isMark(line[pos+len("--")], escape) && unquote(line, pos, stop, escape).string == "--" {
			pos = stop
			break
		}
		if quote >= 0 {
			h.unterminated = quote
		}
		h.flags = append(h.flags, rawFlag{pos, stop})
		pos = stop
	}
	// Behind the "--", single bytes that are no characters are no space any more.
	h.argStart = end - len(strings.TrimLeftFunc(line[pos:end], unicode.IsSpace))
	return h
}

// keywords are the instructions by their names in upper case.
var keywords = func() map[string]string {
	upper := make(map[string]string, len(command.Commands))
	for name := range command.Commands {
		upper[strings.ToUpper(name)] = name
	}
	return upper
}()

// lowerKeyword returns a keyword in lower case, without making a new string of
// those that most files use.
func lowerKeyword(word string) string {
	if name, ok := keywords[word]; ok {
		return name
	}
	return strings.ToLower(word)
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

// value is a word without its quotes and escapes, with the way back to the
// logical line.
type value struct {
	string
	// at is where the word begins, when it was written as it is.
	at int
	// start and end are else where each byte was written.
	start, end []int
}

// written returns the logical bytes as which byte i of the value was written.
func (v value) written(i int) (start, end int) {
	if v.start == nil {
		return v.at + i, v.at + i + 1
	}
	return v.start[i], v.end[i]
}

// slice returns the bytes [i, j) of a value.
func (v value) slice(i, j int) value {
	if v.start == nil {
		return value{string: v.string[i:j], at: v.at + i}
	}
	return value{string: v.string[i:j], start: v.start[i:j], end: v.end[i:j]}
}

// isMark reports whether a byte is no part of a flag's value: a quote or the
// escape character.
func isMark(c, escape byte) bool {
	return c == '\'' || c == '"' || c == escape
}

// hasMarks reports whether a word has quotes or escapes.
func hasMarks(word string, escape byte) bool {
	for i := range len(word) {
		if isMark(word[i], escape) {
			return true
		}
	}
	return false
}

// flagName returns the name of a flag, "from" for --from=base.
func flagName(line string, f rawFlag, escape byte) string {
	word := line[f.start+len("--") : f.end]
	for i := range len(word) {
		switch c := word[i]; {
		case c == '=':
			return word[:i]
		case isMark(c, escape):
			name, _, _ := strings.Cut(unquote(line, f.start, f.end, escape).string, "=")
			return strings.TrimPrefix(name, "--")
		}
	}
	return word
}

// unquote reads the raw logical bytes [start, end) of a line as BuildKit reads
// flags: either quote, the escape character inside both.
func unquote(line string, start, end int, escape byte) value {
	if !hasMarks(line[start:end], escape) {
		return value{string: line[start:end], at: start}
	}
	v := value{start: make([]int, 0, end-start), end: make([]int, 0, end-start)}
	word := make([]byte, 0, end-start)
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
		word = append(word, c)
		v.start = append(v.start, from)
		v.end = append(v.end, pos+1)
	}
	v.string = string(word)
	return v
}

// literal returns the logical bytes [start, end) of a line as they are.
func literal(line string, start, end int) value {
	return value{string: line[start:max(start, end)], at: start}
}

// splitWords splits arguments as BuildKit does for ARG and ENV (parseWords in
// line_parsers.go): at spaces, keeping quotes and escapes.
func splitWords(args string, escape byte) []string {
	if !hasMarks(args, escape) && utf8.ValidString(args) {
		return strings.Fields(args)
	}
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
