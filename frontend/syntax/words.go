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
	// unterminated is the offset of a quote in a flag that is not closed, or -1.
	unterminated int
}

// rawFlag is a flag or word as written, with its quotes and escapes.
type rawFlag struct {
	start, end int
}

// args returns the arguments in the head's line.
func (h head) args(line string) string {
	return strings.TrimSpace(line[h.argStart:h.argEnd])
}

func splitHead(line string, escape byte) head {
	trimmed := strings.TrimLeftFunc(line, unicode.IsSpace)
	start := len(line) - len(trimmed)
	end := start + len(strings.TrimSpace(trimmed))
	h := head{argStart: end, argEnd: end, unterminated: -1}

	// The keyword ends only at ASCII white space (reWhitespace). Flags also end at
	// single bytes for which unicode.IsSpace is true.
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
	// Behind the flags, only whole characters count as space.
	h.argStart = end - len(strings.TrimLeftFunc(line[pos:end], unicode.IsSpace))
	return h
}

// keywords maps the names of instructions in upper case to those in lower case.
var keywords = func() map[string]string {
	upper := make(map[string]string, len(command.Commands))
	for name := range command.Commands {
		upper[strings.ToUpper(name)] = name
	}
	return upper
}()

// lowerKeyword returns a keyword in lower case. It does not allocate for the keywords
// that most files use.
func lowerKeyword(word string) string {
	if name, ok := keywords[word]; ok {
		return name
	}
	return strings.ToLower(word)
}

// wordEnd returns the end of the flag that begins at pos, and the offset of a quote in it
// that is not closed, or -1.
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

// value is a word without its quotes and escapes. It maps its bytes to those of the
// logical line.
type value struct {
	string
	// at is the logical offset of the word, if it has no quotes and escapes.
	at int
	// start and end are the logical range of each byte otherwise.
	start, end []int
}

// written returns the logical range of byte i of the value, with its escape character.
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

// isMark reports whether a byte is a quote or the escape character, which are not part
// of a flag's value.
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

// unquote removes quotes and escapes from the logical bytes [start, end) of a line as
// BuildKit does in flags: the escape character works inside both kinds of quotes.
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

// literal returns the logical bytes [start, end) of a line unchanged.
func literal(line string, start, end int) value {
	return value{string: line[start:max(start, end)], at: start}
}

// splitWords splits the arguments of ARG and ENV at spaces, as BuildKit does (parseWords
// in line_parsers.go). Quotes and escapes are kept.
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
