package draw

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's parts
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/graph"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
)

// Page is what a page lets its reader choose from.
type Page struct {
	// File is the name of the Dockerfile, and Source its text.
	File, Source string
	// Choices are what the reader chooses, of which each has at least one value.
	Choices []Choice
	// Views are what there is to see: one for each combination of values, the values
	// of the last choice alternating fastest. The first is shown first.
	Views []View
	// Note says what the page lacks, or is "".
	Note string
}

// Choice is a platform or the value of a build arg.
type Choice struct {
	// Key is what the page's address calls it. It is unique, and not "node", which
	// is the one whose lines are shown.
	Key string
	// Name is what the reader calls it.
	Name string
	// Values are what there is to choose from, as the reader sees them.
	Values []string
}

// View is what there is to see for one combination.
type View struct {
	// Graph is drawn, and Text says the same in lines.
	Graph *graph.Graph
	Text  string
	// Problem says why there is nothing to see, when Graph is nil.
	Problem string
}

// HTML writes a page that needs nothing else: with all pictures, of which those that
// are alike are there once, and the lines of the Dockerfile.
func HTML(w io.Writer, p *Page) error {
	data := pageData{Source: strings.Split(strings.ReplaceAll(p.Source, "\r\n", "\n"), "\n")}
	for _, c := range p.Choices {
		data.Choices = append(data.Choices, c.Key)
		data.Sizes = append(data.Sizes, len(c.Values))
	}
	var scenes, texts, details shelf
	var graphs []*graph.Graph // of the pictures
	for _, v := range p.Views {
		if v.Graph == nil {
			data.Views = append(data.Views, viewData{Picture: -1, Problem: v.Problem})
			continue
		}
		var dot bytes.Buffer // what is alike in it looks alike
		if err := Dot(&dot, v.Graph); err != nil {
			return err
		}
		facts, err := json.Marshal(detailsOf(v.Graph))
		if err != nil {
			return err
		}
		picture, fresh := scenes.put(withoutTitle(dot.String()))
		if fresh {
			graphs = append(graphs, v.Graph)
		}
		detail, _ := details.put(string(facts))
		text, _ := texts.put(v.Text)
		data.Views = append(data.Views, viewData{Picture: picture, Details: detail, Text: text, Subject: subject(v.Graph)})
	}
	data.Texts = texts.items
	for _, item := range details.items {
		data.Details = append(data.Details, json.RawMessage(item))
	}
	pictures, err := pictures(graphs...)
	if err != nil {
		return err
	}
	return writePage(w, p, data, pictures)
}

// pageData is what the page's script reads.
type pageData struct {
	Choices []string          `json:"choices"`
	Sizes   []int             `json:"sizes"`
	Views   []viewData        `json:"views"`
	Details []json.RawMessage `json:"details"`
	Texts   []string          `json:"texts"`
	Source  []string          `json:"source"`
}

// viewData is a view: indexes of its parts.
type viewData struct {
	Picture int    `json:"picture"` // -1 for none
	Details int    `json:"details"`
	Text    int    `json:"text"`
	Subject string `json:"subject"`
	Problem string `json:"problem,omitempty"`
}

// shelf holds texts, each once.
type shelf struct {
	items []string
	index map[string]int
}

// put returns where a text stands, and whether it had not been there.
func (s *shelf) put(text string) (int, bool) {
	if i, ok := s.index[text]; ok {
		return i, false
	}
	if s.index == nil {
		s.index = map[string]int{}
	}
	s.index[text] = len(s.items)
	s.items = append(s.items, text)
	return len(s.items) - 1, true
}

// withoutTitle cuts the first lines of a graph as dot: they name platforms, and
// those stand beside the picture.
func withoutTitle(dot string) string {
	_, rest, _ := strings.Cut(dot, "rankdir")
	return rest
}

// inline returns a picture as it stands in a page.
func (p *picture) inline() template.HTML {
	var out bytes.Buffer
	width, height := number(p.place.width), number(p.place.height)
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" class="stages" role="group" aria-label="Stages" width="%s" height="%s" viewBox="0 0 %[1]s %[2]s">`+"\n", width, height)
	fmt.Fprintf(&out, "<desc>%s</desc>\n", escape(p.about()))
	p.write(&out)
	out.WriteString("</svg>")
	return template.HTML(out.String()) //nolint:gosec // every text in it is escaped
}

func writePage(w io.Writer, p *Page, data pageData, pictures []*picture) error {
	page, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return err
	}
	style := "\n" + pictureCSS + pageCSS
	script := "\n" + pageJS
	var inline []template.HTML
	for _, picture := range pictures {
		inline = append(inline, picture.inline())
	}
	first := -1
	if len(p.Views) > 0 {
		first = data.Views[0].Picture
	}
	return page.Execute(w, map[string]any{
		"File": p.File, "Choices": p.Choices, "Note": p.Note, "Data": data, "Pictures": inline, "First": first,
		"Policy": fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; base-uri 'none'; form-action 'none'", digest(style), digest(script)),
		"Style":  template.CSS(style), "Script": template.JS(script), //nolint:gosec // ours
	})
}

// digest returns a text's SHA-256 as a content security policy has it.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}
