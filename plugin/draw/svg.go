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

// SVG writes a graph as a picture that needs nothing else, in light colours or dark
// ones as the reader has it.
func SVG(w io.Writer, g *graph.Graph) error {
	all, err := pictures(g)
	if err != nil {
		return err
	}
	p := all[0]
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" class="stages" role="img" aria-labelledby="title about" width="%s" height="%s" viewBox="0 0 %[1]s %[2]s">`+"\n", number(p.place.width), number(p.place.height))
	fmt.Fprintf(&out, "<title id=\"title\">%s</title>\n<desc id=\"about\">%s</desc>\n<style>\n%s</style>\n", escape(subject(g)), escape(p.about()), escape(pictureCSS))
	fmt.Fprintln(&out, `<rect class="paper" width="100%" height="100%"/>`)
	p.write(&out)
	fmt.Fprintln(&out, "</svg>")
	_, err = w.Write(out.Bytes())
	return err
}

// picture is a scene that is laid out.
type picture struct {
	scene *scene
	place *placement
}

// about says in words what the picture shows, and with what.
func (p *picture) about() string {
	var needs, some, off, far bool
	for _, b := range p.scene.boxes {
		some, off = some || b.some, off || b.off
	}
	for _, l := range p.scene.lines {
		some, needs, far = some || l.some, needs || l.needs, far || l.far
	}
	text := fmt.Sprintf("%d stages, images and contexts, and %d references between them. Arrows run from what is used to what uses it, and are labelled with the line that says so.", len(p.scene.boxes), len(p.scene.graph.Edges))
	if needs {
		text += " A dashed line is a stage that has to be built, and of which nothing is taken."
	}
	if far {
		text += " A line that would be long begins with the name of what is used."
	}
	if some {
		text += " What is dotted is not there for all platforms."
	}
	if off {
		text += " What is grey and dashed is not built."
	}
	return text
}

// write writes what is inside of the picture: the lines, and the boxes on top.
func (p *picture) write(out *bytes.Buffer) {
	for i, l := range p.scene.lines {
		p.writeLine(out, l, p.place.routes[i])
	}
	for i, b := range p.scene.boxes {
		writeBox(out, b, p.place.boxes[i])
	}
}

func (p *picture) writeLine(out *bytes.Buffer, l *line, r route) {
	end := r.stops[len(r.stops)-1]
	fmt.Fprintf(out, `<g class="%s" data-from="%s" data-to="%s"><title>%s</title><path class="line" d="%s"/>`,
		classes("edge", map[string]bool{"needs": l.needs, "some": l.some, "off": l.off, "far": l.far}), escape(l.from.node.ID), escape(l.to.node.ID), escape(l.words()), r.path())
	fmt.Fprintf(out, `<path class="head" d="M%s %sl-8-3.5v7z"/>`, number(end.right), number(end.y))
	rows := l.rows()
	for i, text := range rows {
		y := r.labelY - 3 - float64(len(rows)-1-i)*smallRow
		fmt.Fprintf(out, `<text x="%s" y="%s">%s</text>`, number(r.labelX), number(y), escape(text))
	}
	fmt.Fprintln(out, "</g>")
}

// rows returns the label of a line as it is drawn, of which the last row stands on it.
func (l *line) rows() []string {
	rows := []string{l.label}
	if l.mark != "" {
		rows = append(rows, l.mark)
	}
	if l.far {
		rows = []string{l.from.name + ", " + strings.Join(rows, ", ")}
	}
	return rows
}

// words says what a line stands for.
func (l *line) words() string {
	lines := "line"
	if len(l.edges) > 1 {
		lines = "lines"
	}
	text := l.to.name + ", " + lines + " " + numbers(l.edges) + ": " + l.edges[0].Kind + " " + l.from.name
	if l.mark != "" {
		text += ", " + l.mark
	}
	return text
}

// path returns the way of a route in the language of SVG.
func (r route) path() string {
	var b strings.Builder
	fmt.Fprintf(&b, "M%s %sH%s", number(r.stops[0].left), number(r.stops[0].y), number(r.stops[0].right))
	for i, to := range r.stops[1:] {
		from := r.stops[i]
		half := number((from.right + to.left) / 2)
		fmt.Fprintf(&b, "C%s %s %s %s %s %s", half, number(from.y), half, number(to.y), number(to.left), number(to.y))
		if to.right > to.left {
			fmt.Fprintf(&b, "H%s", number(to.right))
		}
	}
	return b.String()
}

func writeBox(out *bytes.Buffer, b *box, r rect) {
	fmt.Fprintf(out, `<g class="%s" data-node="%s"><title>%s</title>`,
		classes("node", map[string]bool{string(b.node.Kind): true, "target": b.target, "some": b.some, "off": b.off}), escape(b.node.ID), escape(b.words()))
	radius := 0
	if b.node.Kind == graph.Stage {
		radius = 6
	}
	fmt.Fprintf(out, `<rect class="shape" x="%s" y="%s" width="%s" height="%s" rx="%d"/>`, number(r.x), number(r.y), number(r.w), number(r.h), radius)
	y := r.y + (r.h-float64(len(b.rows)+1)*row)/2 + row*0.75
	fmt.Fprintf(out, `<text class="name" x="%s" y="%s">%s</text>`, number(r.x+padding), number(y), escape(b.name))
	for i, text := range b.rows {
		class := ""
		if b.some && i == len(b.rows)-1 {
			class = ` class="mark"`
		}
		fmt.Fprintf(out, `<text%s x="%s" y="%s">%s</text>`, class, number(r.x+padding), number(y+float64(i+1)*row), escape(text))
	}
	fmt.Fprintln(out, "</g>")
}

// words says what a box stands for.
func (b *box) words() string {
	text := string(b.node.Kind) + " " + b.name
	if b.node.Kind == graph.Scratch {
		text = "the empty image, scratch"
	}
	for _, row := range b.rows {
		text += ", " + row
	}
	return text
}

// classes returns the classes of an element: always, and those that are set.
func classes(always string, set map[string]bool) string {
	for _, class := range []string{"stage", "image", "context", "scratch", "target", "needs", "some", "off", "far"} {
		if set[class] {
			always += " " + class
		}
	}
	return always
}

// number returns a coordinate: a tenth of a pixel is enough.
func number(f float64) string {
	return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64)
}

// escape returns a text as it stands in XML, in an element or an attribute. What XML
// cannot hold, control characters, is replaced.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder fails at nothing
	return b.String()
}
