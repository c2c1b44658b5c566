package draw

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/graph"
)

// Mermaid writes a graph as a Mermaid flowchart, which GitHub draws in Markdown.
func Mermaid(w io.Writer, g *graph.Graph) error {
	s := newScene(g)
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "flowchart LR\n  accTitle: %s\n", quoteMermaid(caption(g)))
	for _, b := range s.boxes {
		open, end := "[", "]"
		if b.node.Kind == graph.Stage {
			open, end = "(", ")"
		}
		fmt.Fprintf(out, "  n%d%s\"%s\"%s%s\n", b.index, open, mermaidRows(append([]string{b.name}, b.rows...)), end, mermaidClass(b))
	}
	for _, l := range s.lines {
		arrow := "-->"
		if l.needs {
			arrow = "-.->"
		}
		rows := []string{l.label}
		if l.mark != "" {
			rows = append(rows, l.mark)
		}
		fmt.Fprintf(out, "  n%d %s|\"%s\"| n%d\n", l.from.index, arrow, mermaidRows(rows), l.to.index)
	}
	fmt.Fprint(out, "  classDef target stroke-width:3px\n  classDef some stroke-dasharray:2 3\n  classDef off stroke-dasharray:6 4,opacity:0.65\n")
	return out.Flush()
}

func mermaidClass(b *box) string {
	switch {
	case b.absent:
		return ":::off"
	case b.partial:
		return ":::some"
	case b.target:
		return ":::target"
	}
	return ""
}

func mermaidRows(rows []string) string {
	quoted := make([]string, len(rows))
	for i, row := range rows {
		quoted[i] = quoteMermaid(row)
	}
	return strings.Join(quoted, "<br/>")
}

// quoteMermaid replaces every character but letters, digits and a few marks by its
// entity code, #NN;. Mermaid's strings have no other escape, and it would format a
// label as Markdown.
func quoteMermaid(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < ' ':
			b.WriteByte(' ')
		case r >= 0x80, 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune(" .,:/-=$!@+()", r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
