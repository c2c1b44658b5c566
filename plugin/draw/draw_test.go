package draw_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/frontend/corpus"
	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/plugin/draw"
)

// TestCorpus runs testdata/*.txtar. The name of an expectation is a format and an
// environment:
//
//	dot linux/amd64,linux/arm64 DEBUG=1 --target=app --context=assets --all
//
// The format "words" has the titles of an SVG's boxes and lines.
func TestCorpus(t *testing.T) {
	forms := map[string]func(io.Writer, *graph.Graph) error{"dot": draw.Dot, "mermaid": draw.Mermaid, "words": words}
	corpus.Run(t, "testdata/*.txtar", func(t *testing.T, a corpus.Archive, name string) string {
		form, environment, _ := strings.Cut(name, " ")
		var out strings.Builder
		if err := forms[form](&out, drawing(t, a.Dockerfile(), environment)); err != nil {
			t.Fatal(err)
		}
		return out.String()
	})
}

// words writes the titles of the boxes and lines of a graph's SVG.
func words(w io.Writer, g *graph.Graph) error {
	var out bytes.Buffer
	if err := draw.SVG(&out, g); err != nil {
		return err
	}
	p, err := readPicture(out.Bytes())
	if err != nil {
		return err
	}
	for _, part := range p.Groups {
		if _, err := io.WriteString(w, part.Class+": "+part.Title+"\n"); err != nil {
			return err
		}
	}
	return nil
}

func parse(t *testing.T, dockerfile []byte) *syntax.File {
	t.Helper()
	file, err := syntax.Parse(source.NewFile("Dockerfile", dockerfile))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// drawing returns the graph of a Dockerfile in an environment.
func drawing(t *testing.T, dockerfile []byte, environment string) *graph.Graph {
	t.Helper()
	return drawingOf(t, parse(t, dockerfile), environment)
}

// drawingOf is drawing for a parsed file. The views of a page need graphs of one file.
func drawingOf(t *testing.T, file *syntax.File, environment string) *graph.Graph {
	t.Helper()
	asked := corpus.ParseEnvironment(t, environment)
	env := plan.Env{Build: asked.Build, Args: asked.Args, Contexts: asked.Contexts}
	targets := asked.Platforms
	if len(targets) == 0 {
		targets = file.Platforms
	}
	set, err := plan.Resolve(file, env, plan.Request{Stage: asked.Stage, Platforms: targets})
	if err != nil {
		t.Fatalf("%s: %v", environment, err)
	}
	var graphs []*graph.Graph
	for _, p := range set.Targets {
		graphs = append(graphs, graph.Of(p))
	}
	if g := graph.Merge(graphs...); asked.All {
		return g
	}
	return graph.Merge(graphs...).Reached()
}

// samples returns graphs of all kinds: large ones, those of the corpus, one with hostile
// texts, and an empty one.
func samples(t *testing.T) map[string]*graph.Graph {
	list := map[string]*graph.Graph{"hostile": hostile(), "empty": {Platforms: []string{"linux/amd64"}}}
	for _, path := range corpus.Files(t, "testdata/large/*.Dockerfile") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		list[name] = drawing(t, data, "")
		list[name+", all"] = drawing(t, data, "--all")
		list[name+", one platform"] = drawing(t, data, "linux/amd64")
	}
	for _, a := range slices.Concat(corpus.Archives(t, "testdata/*.txtar"), corpus.Archives(t, "../../frontend/graph/testdata/*.txtar")) {
		list[a.Path] = drawing(t, a.Dockerfile(), "linux/amd64,linux/arm64 --all --context=assets")
	}
	return list
}

// hostile returns a graph whose texts all try to break out of their quotes or elements.
func hostile() *graph.Graph {
	const evil = `</script></title><script>alert(1)</script>"'&lt;]]>\"\n#34;` + "`" + `**x**%%{init}%%|-->` + "\x00\x1b\r\n" + `語` + "\xff"
	outcomes := []graph.Outcome{{Platform: "linux/amd64", State: graph.Reached, RunsOn: evil, Reason: evil}}
	return &graph.Graph{
		File: evil, Platforms: []string{"linux/amd64"}, Targets: []string{"stage:0" + evil},
		Nodes: []*graph.Node{
			{ID: "stage:0" + evil, Kind: graph.Stage, Name: evil, Line: 1, LastLine: 2, Base: evil, Guard: evil, Description: evil, Outcomes: outcomes},
			{ID: "image:" + evil, Kind: graph.Image, Name: evil, Platform: evil, Outcomes: outcomes},
		},
		Edges: []*graph.Edge{{Stage: "stage:0" + evil, Uses: "image:" + evil, Kind: "FROM", Line: 1, Reference: evil, Platforms: []string{"linux/amd64"}}},
	}
}

// TestDrawingsAreDeterministic draws each sample several times.
func TestDrawingsAreDeterministic(t *testing.T) {
	forms := map[string]func(io.Writer, *graph.Graph) error{"dot": draw.Dot, "mermaid": draw.Mermaid, "svg": draw.SVG}
	for name, g := range samples(t) {
		for form, write := range forms {
			t.Run(name+" as "+form, func(t *testing.T) {
				var first, again bytes.Buffer
				if err := write(&first, g); err != nil {
					t.Fatal(err)
				}
				for range 3 {
					again.Reset()
					if err := write(&again, g); err != nil || again.String() != first.String() {
						t.Fatalf("another drawing of the same graph differs: %v", err)
					}
				}
			})
		}
	}
}
