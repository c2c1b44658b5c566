package draw

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/graph"
)

// Dot writes a graph in the DOT language of Graphviz.
func Dot(w io.Writer, g *graph.Graph) error {
	s := newScene(g)
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "digraph stages {\n  label=%s\n  rankdir=LR\n  node [shape=box fontname=monospace]\n  edge [fontname=monospace fontsize=10]\n", quoteDot(caption(g)))
	for _, b := range s.boxes {
		fmt.Fprintf(out, "  %s [label=%s%s]\n", quoteDot(b.node.ID), quoteDot(strings.Join(append([]string{b.name}, b.rows...), "\n")), dotBox(b))
	}
	for _, l := range s.lines {
		label := l.label
		if l.mark != "" {
			label += "\n" + l.mark
		}
		fmt.Fprintf(out, "  %s -> %s [label=%s%s]\n", quoteDot(l.from.node.ID), quoteDot(l.to.node.ID), quoteDot(label), dotLine(l))
	}
	fmt.Fprintln(out, "}")
	return out.Flush()
}

// dotBox returns the attributes of a node, except for its label.
func dotBox(b *box) string {
	var styles []string
	attributes := ""
	if b.node.Kind == graph.Stage {
		styles = append(styles, "rounded")
	}
	switch {
	case b.absent:
		styles = append(styles, "dashed")
		attributes = ` color="#6e7781" fontcolor="#6e7781"`
	case b.partial:
		styles = append(styles, "dotted")
	case b.target:
		styles = append(styles, "bold")
	}
	if len(styles) == 0 {
		return ""
	}
	return fmt.Sprintf(" style=%q", strings.Join(styles, ",")) + attributes
}

// dotLine returns the attributes of an edge, except for its label.
func dotLine(l *line) string {
	attributes := ""
	switch {
	case l.needs:
		attributes = " style=dashed"
	case l.partial:
		attributes = " style=dotted"
	}
	if l.absent {
		attributes += ` color="#6e7781" fontcolor="#6e7781"`
	}
	return attributes
}

// dotEscapes escapes the content of a quoted DOT string. A line break becomes \n, which
// starts a new row in a label.
var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", " ")

// quoteDot returns a text as a quoted DOT string.
func quoteDot(text string) string {
	return `"` + dotEscapes.Replace(text) + `"`
}
