package draw

import (
	"bytes"
	_ "embed" // the style sheet
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/graph"
)

//go:embed picture.css
var pictureCSS string

// SVG writes a graph as a self-contained picture. Its colors follow the reader's light
// or dark color scheme.
func SVG(w io.Writer, g *graph.Graph) error {
	all, err := newPictures(g)
	if err != nil {
		return err
	}
	p := all[0]
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" class="stages" role="img" aria-labelledby="title about" width="%s" height="%s" viewBox="0 0 %[1]s %[2]s">`+"\n", coordinate(p.layout.width), coordinate(p.layout.height))
	fmt.Fprintf(&out, "<title id=\"title\">%s</title>\n<desc id=\"about\">%s</desc>\n<style>\n%s</style>\n", escapeXML(caption(g)), escapeXML(p.description()), escapeXML(pictureCSS))
	fmt.Fprintln(&out, `<rect class="paper" width="100%" height="100%"/>`)
	p.write(&out)
	fmt.Fprintln(&out, "</svg>")
	_, err = w.Write(out.Bytes())
	return err
}

// picture is a scene with its layout.
type picture struct {
	scene  *scene
	layout *layout
}

// description returns a text alternative for the picture, with a legend.
func (p *picture) description() string {
	var needs, partial, absent, stub bool
	for _, b := range p.scene.boxes {
		partial, absent = partial || b.partial, absent || b.absent
	}
	for _, l := range p.scene.lines {
		partial, needs, stub = partial || l.partial, needs || l.needs, stub || l.stub
	}
	text := fmt.Sprintf("%d stages, images and contexts, and %d references between them. Each arrow points to the stage with the reference, and is labeled with its line number.", len(p.scene.boxes), len(p.scene.graph.Edges))
	if needs {
		text += " A dashed line comes from a needed stage, of which no files are copied."
	}
	if stub {
		text += " A line that would be long is cut off, and begins with the name of its source."
	}
	if partial {
		text += " Dotted stages and lines do not apply to every platform."
	}
	if absent {
		text += " Gray and dashed stages are not built."
	}
	return text
}

// write writes the content of the picture: the lines, and the boxes on top of them.
func (p *picture) write(out *bytes.Buffer) {
	for i, l := range p.scene.lines {
		p.writeLine(out, l, p.layout.routes[i])
	}
	for i, b := range p.scene.boxes {
		writeBox(out, b, p.layout.boxes[i])
	}
}

func (p *picture) writeLine(out *bytes.Buffer, l *line, r route) {
	end := r.stops[len(r.stops)-1]
	fmt.Fprintf(out, `<g class="%s" data-from="%s" data-to="%s"><title>%s</title><path class="line" d="%s"/>`,
		classes("edge", map[string]bool{"needs": l.needs, "some": l.partial, "off": l.absent, "stub": l.stub}), escapeXML(l.from.node.ID), escapeXML(l.to.node.ID), escapeXML(l.title()), r.path())
	fmt.Fprintf(out, `<path class="head" d="M%s %sl-8-3.5v7z"/>`, coordinate(end.right), coordinate(end.y))
	rows := l.rows()
	for i, text := range rows {
		y := r.labelY - 3 - float64(len(rows)-1-i)*labelRowHeight
		fmt.Fprintf(out, `<text x="%s" y="%s">%s</text>`, coordinate(r.labelX), coordinate(y), escapeXML(text))
	}
	fmt.Fprintln(out, "</g>")
}

// rows returns the rows of a line's label. The last one is just above the line.
func (l *line) rows() []string {
	rows := []string{l.label}
	if l.mark != "" {
		rows = append(rows, l.mark)
	}
	if l.stub {
		rows = []string{l.from.name + ", " + strings.Join(rows, ", ")}
	}
	return rows
}

// title returns the description of a line.
func (l *line) title() string {
	lines := "line"
	if len(l.edges) > 1 {
		lines = "lines"
	}
	text := l.to.name + ", " + lines + " " + lineNumbers(l.edges) + ": " + l.edges[0].Kind + " " + l.from.name
	if l.mark != "" {
		text += ", " + l.mark
	}
	return text
}

// path returns the route as SVG path data.
func (r route) path() string {
	var b strings.Builder
	fmt.Fprintf(&b, "M%s %sH%s", coordinate(r.stops[0].left), coordinate(r.stops[0].y), coordinate(r.stops[0].right))
	for i, to := range r.stops[1:] {
		from := r.stops[i]
		half := coordinate((from.right + to.left) / 2)
		fmt.Fprintf(&b, "C%s %s %s %s %s %s", half, coordinate(from.y), half, coordinate(to.y), coordinate(to.left), coordinate(to.y))
		if to.right > to.left {
			fmt.Fprintf(&b, "H%s", coordinate(to.right))
		}
	}
	return b.String()
}

func writeBox(out *bytes.Buffer, b *box, r rect) {
	fmt.Fprintf(out, `<g class="%s" data-node="%s"><title>%s</title>`,
		classes("node", map[string]bool{string(b.node.Kind): true, "target": b.target, "some": b.partial, "off": b.absent}), escapeXML(b.node.ID), escapeXML(b.title()))
	radius := 0
	if b.node.Kind == graph.Stage {
		radius = 6
	}
	fmt.Fprintf(out, `<rect class="shape" x="%s" y="%s" width="%s" height="%s" rx="%d"/>`, coordinate(r.x), coordinate(r.y), coordinate(r.w), coordinate(r.h), radius)
	y := r.y + (r.h-float64(len(b.rows)+1)*rowHeight)/2 + rowHeight*0.75
	fmt.Fprintf(out, `<text class="name" x="%s" y="%s">%s</text>`, coordinate(r.x+padding), coordinate(y), escapeXML(b.name))
	for i, text := range b.rows {
		class := ""
		if b.partial && i == len(b.rows)-1 {
			class = ` class="mark"`
		}
		fmt.Fprintf(out, `<text%s x="%s" y="%s">%s</text>`, class, coordinate(r.x+padding), coordinate(y+float64(i+1)*rowHeight), escapeXML(text))
	}
	fmt.Fprintln(out, "</g>")
}

// title returns the description of a box.
func (b *box) title() string {
	text := string(b.node.Kind) + " " + b.name
	if b.node.Kind == graph.Scratch {
		text = "the empty image, scratch"
	}
	for _, row := range b.rows {
		text += ", " + row
	}
	return text
}

// classes returns a class attribute: the class always, and those in set that are true.
func classes(always string, set map[string]bool) string {
	for _, class := range []string{"stage", "image", "context", "scratch", "target", "needs", "some", "off", "stub"} {
		if set[class] {
			always += " " + class
		}
	}
	return always
}

// coordinate formats a coordinate, rounded to a tenth of a pixel.
func coordinate(f float64) string {
	return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64)
}

// escapeXML escapes a text for an element or attribute. It replaces characters that are
// not allowed in XML, such as control characters.
func escapeXML(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder never fails
	return b.String()
}
