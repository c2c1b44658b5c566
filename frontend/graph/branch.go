package graph

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"
)

// branch is a text, and what hangs below it.
type branch struct {
	text  string
	below []*branch
}

func (b *branch) add(text string) *branch {
	child := &branch{text: text}
	b.below = append(b.below, child)
	return child
}

// minWidth is what a text has at least beside the lines of a deep tree.
const minWidth = 30

// writeTrees prints trees, one below the other, in lines of at most width columns
// where their words allow it.
func writeTrees(w io.Writer, width int, trees []*branch) error {
	out := bufio.NewWriter(w)
	for i, tree := range trees {
		if i > 0 {
			_ = out.WriteByte('\n') // Flush reports what fails
		}
		tree.write(out, width, "", "")
	}
	return out.Flush()
}

// write prints a branch behind the lines that lead to it, first for its own line and
// rest for those below that one.
func (b *branch) write(out *bufio.Writer, width int, first, rest string) {
	hang := rest
	if len(b.below) > 0 {
		hang += "│ "
	} else {
		hang += "  "
	}
	prefix := first
	for _, line := range wrap(b.text, max(width-utf8.RuneCountInString(hang), minWidth)) {
		_, _ = out.WriteString(prefix + line + "\n")
		prefix = hang
	}
	for i, child := range b.below {
		if i < len(b.below)-1 {
			child.write(out, width, rest+"├── ", rest+"│   ")
		} else {
			child.write(out, width, rest+"└── ", rest+"    ")
		}
	}
}

// unbroken are the spaces that no line ends at: DEBUG = "0" and "line 3" stay whole.
var unbroken = strings.NewReplacer(" = ", "\u00a0=\u00a0", "line ", "line\u00a0")

// wrap breaks a text between words. A word that is longer stays whole.
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
