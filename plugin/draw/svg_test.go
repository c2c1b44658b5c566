package draw_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/plugin/draw"
)

// picture is the part of an SVG that the tests read.
type picture struct {
	ViewBox string  `xml:"viewBox,attr"`
	Label   string  `xml:"aria-labelledby,attr"`
	Title   string  `xml:"title"`
	About   string  `xml:"desc"`
	Groups  []group `xml:"g"`
}

// group is a box or a line.
type group struct {
	Class string `xml:"class,attr"`
	Node  string `xml:"data-node,attr"`
	From  string `xml:"data-from,attr"`
	To    string `xml:"data-to,attr"`
	Title string `xml:"title"`
	Rect  struct {
		X float64 `xml:"x,attr"`
		Y float64 `xml:"y,attr"`
		W float64 `xml:"width,attr"`
		H float64 `xml:"height,attr"`
	} `xml:"rect"`
	Paths []struct {
		Class string `xml:"class,attr"`
		D     string `xml:"d,attr"`
	} `xml:"path"`
	Texts []struct {
		X    float64 `xml:"x,attr"`
		Y    float64 `xml:"y,attr"`
		Text string  `xml:",chardata"`
	} `xml:"text"`
}

func readPicture(svg []byte) (*picture, error) {
	p := &picture{}
	d := xml.NewDecoder(bytes.NewReader(svg))
	d.Strict = true
	return p, d.Decode(p)
}

// pictureOf draws a graph as SVG, and reads the result.
func pictureOf(t *testing.T, g *graph.Graph) *picture {
	t.Helper()
	var out bytes.Buffer
	if err := draw.SVG(&out, g); err != nil {
		t.Fatal(err)
	}
	p, err := readPicture(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (g group) is(class string) bool {
	return strings.Contains(" "+g.Class+" ", " "+class+" ")
}

// TestPicturesAreComplete checks that the samples' pictures have all nodes and edges,
// that boxes do not overlap, that texts fit, and that lines start and end at their boxes.
func TestPicturesAreComplete(t *testing.T) {
	for name, g := range samples(t) {
		t.Run(name, func(t *testing.T) {
			p := pictureOf(t, g)
			if p.Title == "" || p.About == "" || p.Label != "title about" {
				t.Errorf("the picture has no name: %q, %q, %q", p.Label, p.Title, p.About)
			}
			boxes := checkBoxes(t, p)
			if len(boxes) != len(g.Nodes) {
				t.Errorf("%d boxes for %d nodes", len(boxes), len(g.Nodes))
			}
			lines := checkLines(t, p, boxes)
			for _, e := range g.Edges {
				found := 0
				for _, title := range lines[clean(e.Uses)+" → "+clean(e.Stage)] {
					if strings.Contains(title, ": "+e.Kind+" ") && regexp.MustCompile(fmt.Sprintf(`\blines? [\d, ]*\b%d\b`, e.Line)).MatchString(title) {
						found++
					}
				}
				if found == 0 {
					t.Errorf("no line for %+v", e)
				}
			}
		})
	}
}

// clean replaces the characters that are not allowed in XML.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// checkBoxes checks the positions of the boxes, and returns the boxes by node ID.
func checkBoxes(t *testing.T, p *picture) map[string]group {
	t.Helper()
	var width, height float64
	if _, err := fmt.Sscanf(p.ViewBox, "0 0 %f %f", &width, &height); err != nil {
		t.Fatal(err)
	}
	boxes := map[string]group{}
	for _, b := range p.Groups {
		if !b.is("node") {
			continue
		}
		r := b.Rect
		if !(r.X >= 0 && r.Y >= 0 && r.X+r.W <= width && r.Y+r.H <= height) {
			t.Errorf("%s is outside of the picture: %+v", b.Node, r)
		}
		for _, text := range b.Texts {
			if text.Y < r.Y+8 || text.Y > r.Y+r.H-2 || text.X+float64(len([]rune(text.Text)))*7.3 > r.X+r.W {
				t.Errorf("%q is outside of its box", text.Text)
			}
		}
		for _, other := range boxes {
			o := other.Rect
			if r.X < o.X+o.W && o.X < r.X+r.W && r.Y < o.Y+o.H && o.Y < r.Y+r.H {
				t.Errorf("%s and %s overlap", b.Node, other.Node)
			}
		}
		boxes[b.Node] = b
	}
	return boxes
}

var coordinates = regexp.MustCompile(`-?[\d.]+`)

// checkLines checks the positions of the lines, and returns their titles by the IDs of
// the two nodes: "from → to".
func checkLines(t *testing.T, p *picture, boxes map[string]group) map[string][]string {
	t.Helper()
	lines := map[string][]string{}
	for _, l := range p.Groups {
		if !l.is("edge") {
			continue
		}
		key := l.From + " → " + l.To
		lines[key] = append(lines[key], l.Title)
		from, to := boxes[l.From].Rect, boxes[l.To].Rect
		way := coordinates.FindAllString(l.Paths[0].D, -1)
		x, y := number(t, way[0]), number(t, way[1])
		if l.is("stub") {
			checkStub(t, l, boxes)
		} else if math.Abs(x-from.X-from.W) > 0.2 || y < from.Y || y > from.Y+from.H {
			t.Errorf("%s begins at %v,%v and not at %+v", l.Title, x, y, from)
		}
		head := coordinates.FindAllString(l.Paths[1].D, -1)
		x, y = number(t, head[0]), number(t, head[1])
		if math.Abs(x-to.X) > 0.2 || y < to.Y || y > to.Y+to.H {
			t.Errorf("%s ends at %v,%v and not at %+v", l.Title, x, y, to)
		}
		if len(l.Texts) == 0 {
			t.Errorf("%s has no label", l.Title)
		}
	}
	return lines
}

// checkStub checks that a stub begins with the name of its source, before its box and
// over no other box.
func checkStub(t *testing.T, l group, boxes map[string]group) {
	t.Helper()
	to, text := boxes[l.To].Rect, l.Texts[0]
	end := text.X + float64(len([]rune(text.Text)))*6.1
	if name := boxes[l.From].Texts[0].Text; len(l.Texts) != 1 || !strings.HasPrefix(text.Text, name+", ") {
		t.Errorf("%s begins with %q", l.Title, fmt.Sprint(l.Texts))
	}
	if end > to.X || text.Y-8 < to.Y || text.Y > to.Y+to.H {
		t.Errorf("%q is at %v,%v, and not before %+v", text.Text, text.X, text.Y, to)
	}
	for _, b := range boxes {
		if r := b.Rect; text.X < r.X+r.W && r.X < end && text.Y-8 < r.Y+r.H && r.Y < text.Y {
			t.Errorf("%q is over %s", text.Text, b.Node)
		}
	}
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestColorsContrast checks the contrast of texts and lines with their backgrounds. WCAG
// 2 requires 4.5 for texts (1.4.3), and 3 for lines (1.4.11).
func TestColorsContrast(t *testing.T) {
	css, err := os.ReadFile("picture.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, ok := strings.Cut(string(css), "@media (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("there are no dark colors")
	}
	variable := regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`)
	for scheme, text := range map[string]string{"light": light, "dark": dark} {
		t.Run(scheme, func(t *testing.T) {
			colors := map[string]float64{}
			for _, m := range variable.FindAllStringSubmatch(text, -1) {
				colors[m[1]] = luminance(t, m[2])
			}
			for _, pair := range []struct {
				front, back string
				least       float64
			}{
				{"ink", "paper", 4.5}, {"ink", "stage", 4.5}, {"ink", "image", 4.5},
				{"faint", "paper", 4.5}, {"some", "paper", 4.5}, {"some", "stage", 4.5}, {"some", "image", 4.5},
				{"line", "paper", 3}, {"stage-line", "paper", 3}, {"image-line", "paper", 3}, {"chosen", "paper", 3}, {"chosen", "stage", 3},
			} {
				a, b := colors[pair.front], colors[pair.back]
				if got := (max(a, b) + 0.05) / (min(a, b) + 0.05); got < pair.least {
					t.Errorf("%s on %s has a contrast of %.2f, less than %v", pair.front, pair.back, got, pair.least)
				}
			}
		})
	}
}

// luminance returns the relative luminance of a color in the form RRGGBB.
func luminance(t *testing.T, color string) float64 {
	t.Helper()
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(color[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(v) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// TestPicturesOfManyStages draws graphs whose lines would cross tens of thousands of
// columns, and checks that stubs limit that number.
func TestPicturesOfManyStages(t *testing.T) {
	const count = 300
	all := make([]int, count-1)
	for i := range all {
		all[i] = i
	}
	for _, test := range []struct {
		name string
		from func(i int) []int // the stages that stage i copies from
		stub bool
	}{
		{"a chain whose last stage copies from all", func(i int) []int {
			if i == count-1 {
				return all
			}
			return []int{i - 1}
		}, true},
		{"a chain in which all copy from the first", func(i int) []int { return []int{i - 1, 0} }, true},
		{"each copies from the ten before", func(i int) []int { return all[max(i-10, 0):i] }, true},
		{"a chain, and many stages that copy from its first", func(i int) []int {
			if i > 40 {
				return all[:1]
			}
			return []int{i - 1}
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			g, pairs := graphOf(count, test.from)
			p := pictureOf(t, g)
			if lines := checkLines(t, p, checkBoxes(t, p)); len(lines) != pairs {
				t.Errorf("lines between %d pairs of stages, want %d", len(lines), pairs)
			}
			checkStubs(t, p, test.stub)
		})
	}
}

// graphOf returns a graph of stages that copy from earlier ones, and the number of pairs
// of stages with a copy between them.
func graphOf(count int, from func(i int) []int) (g *graph.Graph, pairs int) {
	g = &graph.Graph{Platforms: []string{"a/b"}}
	known := map[[2]int]bool{}
	for i := range count {
		n := &graph.Node{ID: fmt.Sprintf("stage:%d", i), Kind: graph.Stage, Name: fmt.Sprintf("s%d", i), Line: i + 1, LastLine: i + 1, Outcomes: []graph.Outcome{{Platform: "a/b", State: graph.Reached}}}
		g.Nodes = append(g.Nodes, n)
		if i == 0 {
			continue
		}
		for _, k := range from(i) {
			known[[2]int{k, i}] = true
			g.Edges = append(g.Edges, &graph.Edge{Stage: n.ID, Uses: fmt.Sprintf("stage:%d", k), Kind: "COPY --from", Line: i + 1, Platforms: g.Platforms})
		}
	}
	return g, len(known)
}

// checkStubs checks whether there are stubs, and the number of columns that the other
// lines cross.
func checkStubs(t *testing.T, p *picture, want bool) {
	t.Helper()
	stub, near, curves := 0, 0, 0
	for _, l := range p.Groups {
		switch {
		case l.is("stub"):
			stub++
		case l.is("edge"):
			near++
			curves += strings.Count(l.Paths[0].D, "C")
		}
	}
	// Two curves for each line, and two for each column that it crosses.
	if stub > 0 != want || curves > 2*near+2*500 {
		t.Errorf("%d stubs, and %d lines with %d curves", stub, near, curves)
	}
	if strings.Contains(p.About, "begins with the name") != want {
		t.Errorf("the description is %q", p.About)
	}
}

// TestPicturesOfAnyGraph draws random graphs of up to 40 stages.
func TestPicturesOfAnyGraph(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 0))
		g := &graph.Graph{Platforms: []string{"a/b", "c/d"}}
		for i := range random.IntN(40) + 1 {
			n := &graph.Node{ID: fmt.Sprintf("stage:%d", i), Kind: graph.Stage, Name: fmt.Sprintf("s%d", i/2), Line: i + 1, LastLine: i + 1, Variant: true}
			for _, p := range g.Platforms {
				n.Outcomes = append(n.Outcomes, graph.Outcome{Platform: p, State: []graph.State{graph.Reached, graph.Unreached, graph.Dropped}[random.IntN(3)], RunsOn: p})
			}
			for k := range random.IntN(4) {
				if i > 0 {
					g.Edges = append(g.Edges, &graph.Edge{Stage: n.ID, Uses: fmt.Sprintf("stage:%d", random.IntN(i)), Kind: []string{"FROM", "COPY --from", "FROM --needs"}[random.IntN(3)], Line: i + 1, Reference: strconv.Itoa(k), Platforms: g.Platforms[random.IntN(2):]})
				}
			}
			g.Nodes = append(g.Nodes, n)
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			p := pictureOf(t, g)
			checkLines(t, p, checkBoxes(t, p))
		})
	}
}
