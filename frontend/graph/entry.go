package graph

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"
)

// entry is a text in a printed tree, with the entries below it.
type entry struct {
	text  string
	below []*entry
}

func (e *entry) add(text string) *entry {
	child := &entry{text: text}
	e.below = append(e.below, child)
	return child
}

// minWidth is the least number of columns for the text of an entry, however deep it is.
const minWidth = 30

// writeTrees prints trees with an empty line between them. It breaks lines between words
// after at most width columns.
func writeTrees(w io.Writer, width int, trees []*entry) error {
	out := bufio.NewWriter(w)
	for i, tree := range trees {
		if i > 0 {
			_ = out.WriteByte('\n') // Flush returns the error
		}
		tree.write(out, width, "", "")
	}
	return out.Flush()
}

// write prints an entry. The first line of its text begins with the prefix first, and the
// entries below it begin with rest.
func (e *entry) write(out *bufio.Writer, width int, first, rest string) {
	hang := rest
	if len(e.below) > 0 {
		hang += "│ "
	} else {
		hang += "  "
	}
	prefix := first
	for _, line := range wrap(e.text, max(width-utf8.RuneCountInString(hang), minWidth)) {
		_, _ = out.WriteString(prefix + line + "\n")
		prefix = hang
	}
	for i, child := range e.below {
		if i < len(e.below)-1 {
			child.write(out, width, rest+"├── ", rest+"│   ")
		} else {
			child.write(out, width, rest+"└── ", rest+"    ")
		}
	}
}

// unbroken makes the spaces in texts such as DEBUG = "0" and "line 3" non-breaking.
var unbroken = strings.NewReplacer(" = ", "\u00a0=\u00a0", "line ", "line\u00a0")

// wrap breaks a text into lines between words. A word that is longer than width stays
// whole.
func wrap(text string, width int) []string {
	if utf8.RuneCountInString(text) <= width {
		return []string{text}
	}
	text = unbroken.Replace(text)
	var lines []string
	line, length := "", 0
	for word := range strings.SplitSeq(text, " ") {
		word = strings.ReplaceAll(word, "\u00a0", " ")
		n := utf8.RuneCountInString(word)
		switch {
		case length == 0:
			line, length = word, n
		case length+1+n <= width:
			line, length = line+" "+word, length+1+n
		default:
			lines = append(lines, line)
			line, length = word, n
		}
	}
	return append(lines, line)
}
