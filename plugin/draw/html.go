package draw

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the parts of the page
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

// Page is the content of a page.
type Page struct {
	// File is the name of the Dockerfile, and Source is its text.
	File, Source string
	// Choices are the lists that the reader chooses a value from, such as platforms.
	// Each has at least one value.
	Choices []Choice
	// Views has a view for each combination of values. The values of the last choice
	// vary fastest. The page opens with the first view.
	Views []View
	// Note is a remark on views that the page leaves out, or "".
	Note string
}

// Choice is a list of platforms, or of values of one build arg.
type Choice struct {
	// Key identifies the choice in the fragment of the page's URL. It is unique, and
	// not "node", which is the key of the open stage.
	Key string
	// Name is the label of the choice.
	Name string
	// Values are the values that the reader chooses from.
	Values []string
}

// View is the content of a page for one combination of values.
type View struct {
	// Graph is drawn. Text is the same graph as a tree.
	Graph *graph.Graph
	Text  string
	// Error is the reason for a view without a graph. Graph is nil then.
	Error string
}

// HTML writes a self-contained page with the pictures and the lines of the Dockerfile.
// It writes equal pictures once.
func HTML(w io.Writer, p *Page) error {
	data := pageData{Source: strings.Split(strings.ReplaceAll(p.Source, "\r\n", "\n"), "\n")}
	for _, c := range p.Choices {
		data.Choices = append(data.Choices, c.Key)
		data.Sizes = append(data.Sizes, len(c.Values))
	}
	var scenes, texts, details textSet
	var graphs []*graph.Graph // of the pictures
	for _, v := range p.Views {
		if v.Graph == nil {
			data.Views = append(data.Views, viewData{Picture: -1, Error: v.Error})
			continue
		}
		var dot bytes.Buffer // identifies the picture
		if err := Dot(&dot, v.Graph); err != nil {
			return err
		}
		facts, err := json.Marshal(newDetails(v.Graph))
		if err != nil {
			return err
		}
		picture, fresh := scenes.add(withoutTitle(dot.String()))
		if fresh {
			graphs = append(graphs, v.Graph)
		}
		detail, _ := details.add(string(facts))
		text, _ := texts.add(v.Text)
		data.Views = append(data.Views, viewData{Picture: picture, Details: detail, Text: text, Subject: caption(v.Graph)})
	}
	data.Texts = texts.items
	for _, item := range details.items {
		data.Details = append(data.Details, json.RawMessage(item))
	}
	pictures, err := newPictures(graphs...)
	if err != nil {
		return err
	}
	return writePage(w, p, data, pictures)
}

// pageData is the input of the page's script.
type pageData struct {
	Choices []string          `json:"choices"`
	Sizes   []int             `json:"sizes"`
	Views   []viewData        `json:"views"`
	Details []json.RawMessage `json:"details"`
	Texts   []string          `json:"texts"`
	Source  []string          `json:"source"`
}

// viewData has the indexes of a view's parts in the page and its data.
type viewData struct {
	Picture int    `json:"picture"` // -1 for none
	Details int    `json:"details"`
	Text    int    `json:"text"`
	Subject string `json:"subject"`
	Error   string `json:"error,omitempty"`
}

// textSet is an ordered set of texts.
type textSet struct {
	items []string
	index map[string]int
}

// add returns the index of a text, and reports whether the text is new.
func (s *textSet) add(text string) (int, bool) {
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

// withoutTitle removes the first lines of a DOT graph, which have the platforms. Two
// pictures that differ only in those are equal, because the page shows them elsewhere.
func withoutTitle(dot string) string {
	_, rest, _ := strings.Cut(dot, "rankdir")
	return rest
}

// inline returns a picture as an element of a page.
func (p *picture) inline() template.HTML {
	var out bytes.Buffer
	width, height := coordinate(p.layout.width), coordinate(p.layout.height)
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" class="stages" role="group" aria-label="Stages" width="%s" height="%s" viewBox="0 0 %[1]s %[2]s">`+"\n", width, height)
	fmt.Fprintf(&out, "<desc>%s</desc>\n", escapeXML(p.description()))
	p.write(&out)
	out.WriteString("</svg>")
	return template.HTML(out.String()) //nolint:gosec // write escapes every text
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
		"Style":  template.CSS(style), "Script": template.JS(script), //nolint:gosec // they are embedded files
	})
}

// digest returns the SHA-256 of a text in the form of a content security policy.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}
