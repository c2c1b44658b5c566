package draw_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/plugin/draw"
)

// TestPageHoldsPicturesOnce writes a page of four views, two of which have the same
// picture.
func TestPageHoldsPicturesOnce(t *testing.T) {
	dockerfile := []byte("ARG DEBUG=0\nFROM a AS base\nRUN --if=DEBUG x\nFROM --for=linux/arm64 base AS b\nFROM base AS b\n")
	p := &draw.Page{
		File: "Dockerfile", Source: string(dockerfile), Note: "a <note>",
		Choices: []draw.Choice{{Key: "arg.DEBUG", Name: "DEBUG", Values: []string{"0", "1"}}, {Key: "platform", Name: "Platform", Values: []string{"linux/amd64", "linux/arm64"}}},
	}
	file := parse(t, dockerfile)
	for _, environment := range []string{"linux/amd64", "linux/arm64", "linux/amd64 DEBUG=1"} {
		p.Views = append(p.Views, draw.View{Graph: drawingOf(t, file, environment), Text: environment})
	}
	p.Views = append(p.Views, draw.View{Error: "no </script> such thing"})
	out := writePage(t, p)
	if got := strings.Count(out, "<svg "); got != 2 {
		t.Errorf("there are %d pictures", got)
	}
	var data struct {
		Sizes   []int
		Views   []struct{ Picture, Details int }
		Details []map[string]struct {
			Notes []struct {
				Text    string
				Dropped bool
			}
		}
	}
	if err := json.Unmarshal([]byte(between(out, `id="data">`, "</script>")), &data); err != nil {
		t.Fatal(err)
	}
	// Two views share a picture, but not the details.
	if v := data.Views; len(v) != 4 || v[0].Picture != v[2].Picture || v[0].Picture == v[1].Picture || v[0].Details == v[2].Details || v[3].Picture != -1 {
		t.Errorf("the views are %+v", v)
	}
	notes := data.Details[data.Views[0].Details]["stage:0"].Notes
	if len(notes) != 1 || !notes[0].Dropped || notes[0].Text != `dropped for linux/amd64: --if=DEBUG is false with DEBUG = "0"` {
		t.Errorf("the notes are %+v", notes)
	}
	if !strings.Contains(out, "<p id=\"note\">a &lt;note&gt;</p>") {
		t.Error("the page has no note")
	}
}

// TestPageDetailsOfReachedStages checks the details of a stage that is only reached for a
// platform in a reference, and of one that is not built.
func TestPageDetailsOfReachedStages(t *testing.T) {
	dockerfile := []byte("FROM --platform=$BUILDPLATFORM a AS test\nFROM --platform=$BUILDPLATFORM a AS docs\nFROM --needs=test::linux/amd64 b\n")
	out := writePage(t, &draw.Page{File: "Dockerfile", Source: string(dockerfile), Views: []draw.View{{Graph: drawing(t, dockerfile, "linux/arm64 --all")}}})
	var data struct {
		Details []map[string]struct{ Facts [][2]string }
	}
	if err := json.Unmarshal([]byte(between(out, `id="data">`, "</script>")), &data); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"stage:0":             "reached as test::linux/amd64",
		"stage:0@linux/amd64": "built on linux/amd64",
		"stage:1":             "not reached on linux/amd64",
	} {
		t.Run(id, func(t *testing.T) {
			if facts := data.Details[0][id].Facts; !slices.Contains(facts, [2]string{"linux/arm64", want}) {
				t.Errorf("facts %q, want %q", facts, want)
			}
		})
	}
}

// TestPageEscapes writes a page whose texts all try to break out of their elements.
func TestPageEscapes(t *testing.T) {
	g := hostile()
	evil := g.File
	out := writePage(t, &draw.Page{
		File: evil, Source: evil + "\n" + evil, Note: evil,
		Choices: []draw.Choice{{Key: evil, Name: evil, Values: []string{evil, "x"}}},
		Views:   []draw.View{{Graph: g, Text: evil}, {Error: evil}},
	})
	// The page itself has two script elements: its data and its script.
	if got := strings.Count(strings.ToLower(out), "<script"); got != 2 {
		t.Errorf("the page has %d scripts", got)
	}
	if got := strings.Count(strings.ToLower(out), "</script"); got != 2 {
		t.Errorf("the page has %d ends of scripts", got)
	}
	if !json.Valid([]byte(between(out, `id="data">`, "</script>"))) {
		t.Error("the data cannot be read")
	}
	for _, m := range regexp.MustCompile(`(?i)\b(src|href|style|on[a-z]+)=`).FindAllString(between(out, "<body", "<script"), -1) {
		t.Errorf("the page has an attribute %s", m)
	}
}

func writePage(t *testing.T, p *draw.Page) string {
	t.Helper()
	var out, again bytes.Buffer
	if err := draw.HTML(&out, p); err != nil {
		t.Fatal(err)
	}
	if err := draw.HTML(&again, p); err != nil || again.String() != out.String() {
		t.Errorf("writing the page again gives another page: %v", err)
	}
	if strings.Contains(out.String(), "ZgotmplZ") {
		t.Error("the template refuses a value")
	}
	return out.String()
}

func between(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	found, _, _ := strings.Cut(rest, after)
	return found
}

// TestEmptyPage writes a page of a file without stages.
func TestEmptyPage(t *testing.T) {
	g := &graph.Graph{File: "Dockerfile", Platforms: []string{"linux/amd64"}}
	out := writePage(t, &draw.Page{File: "Dockerfile", Views: []draw.View{{Graph: g}}})
	if !strings.Contains(out, "<svg ") {
		t.Error("there is no picture")
	}
}
