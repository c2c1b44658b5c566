package inspect

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/integration/internal/browser"
	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestGraphFormatsParse parses drawings of large files and a small one with Graphviz and
// Mermaid: each node and edge is there.
func TestGraphFormatsParse(t *testing.T) {
	env, _ := suite.Product(t)
	dot, err := env.Graphviz(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	script, err := env.NPMFile(t.Context(), "mermaid@12.3.0", "dist/mermaid.min.js")
	if err != nil {
		t.Fatal(err)
	}
	dir := testkit.WriteContext(t, map[string]string{
		"Dockerfile":   strings.Replace(drawnFile, `--if=DEBUG != "0"`, `--if='DEBUG != "#lt;`+"`"+`"'`, 1),
		"mermaid.html": `<!DOCTYPE html><meta charset="utf-8"><script src="mermaid.js"></script><body>`,
	})
	if err := os.Symlink(script, filepath.Join(dir, "mermaid.js")); err != nil {
		t.Fatal(err)
	}
	b := browser.Start(t, env)
	b.Do(t, chromedp.Navigate("file://"+filepath.Join(dir, "mermaid.html")))
	large, err := filepath.Glob("../../plugin/draw/testdata/large/*.Dockerfile")
	if err != nil || len(large) == 0 {
		t.Fatalf("no large files: %v", err)
	}
	for _, file := range append(large, filepath.Join(dir, "Dockerfile")) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var g graph.Graph
			if err := json.Unmarshal([]byte(drawAs(t, env, "json", file)), &g); err != nil {
				t.Fatal(err)
			}
			checkDot(t, env, dot, drawAs(t, env, "dot", file), &g)
			checkMermaid(t, b, drawAs(t, env, "mermaid", file), &g)
		})
	}
}

func drawAs(t *testing.T, env *harness.Env, format, file string) string {
	t.Helper()
	out, err := env.Run(t.Context(), "docker-stagebuild", "graph", "--all", "--format", format, "-f", file)
	if err != nil {
		t.Fatal(err)
	}
	return out.Stdout
}

// edgeEnds returns the pairs of nodes that have an edge.
func edgeEnds(g *graph.Graph) map[[2]string]bool {
	list := map[[2]string]bool{}
	for _, e := range g.Edges {
		list[[2]string{e.Uses, e.Stage}] = true
	}
	return list
}

// checkDot parses a drawing with Graphviz and compares nodes and edges.
func checkDot(t *testing.T, env *harness.Env, dot, drawing string, g *graph.Graph) {
	t.Helper()
	cmd := env.Command(t.Context(), dot, "-Tdot_json")
	cmd.Stdin = strings.NewReader(drawing)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("dot: %v", err)
	}
	var read struct {
		Objects []struct{ Name, Label string }
		Edges   []struct{ Tail, Head int }
	}
	if err := json.Unmarshal(out, &read); err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{}
	for _, o := range read.Objects {
		labels[o.Name] = o.Label
	}
	for _, n := range g.Nodes {
		if !strings.HasPrefix(labels[n.ID], n.Name) {
			t.Errorf("dot reads the label of %s as %q", n.ID, labels[n.ID])
		}
	}
	want := edgeEnds(g)
	for _, e := range read.Edges {
		delete(want, [2]string{read.Objects[e.Tail].Name, read.Objects[e.Head].Name})
	}
	if len(read.Objects) != len(g.Nodes) || len(want) > 0 {
		t.Errorf("dot reads %d of %d nodes, and not the edges %v", len(read.Objects), len(g.Nodes), want)
	}
}

// checkMermaid draws with Mermaid and counts nodes and edges.
func checkMermaid(t *testing.T, b *browser.Browser, drawing string, g *graph.Graph) {
	t.Helper()
	source, err := json.Marshal(drawing)
	if err != nil {
		t.Fatal(err)
	}
	read := browser.Evaluate[struct {
		Type, Text   string
		Nodes, Edges int
	}](t, b, `(async source => {
		const {diagramType} = await mermaid.parse(source);
		const {svg} = await mermaid.render("drawing", source);
		const page = new DOMParser().parseFromString(svg, "text/html");
		return {
			Type: diagramType, Nodes: page.querySelectorAll(".node").length,
			Edges: page.querySelectorAll(".edgePaths path").length, Text: page.body.textContent,
		};
	})(`+string(source)+`)`)
	if want := strings.Count(drawing, ">|"); !strings.HasPrefix(read.Type, "flowchart") || read.Nodes != len(g.Nodes) || read.Edges != want || want < len(edgeEnds(g)) {
		t.Errorf("Mermaid draws a %s of %d nodes and %d edges, not %d and %d", read.Type, read.Nodes, read.Edges, len(g.Nodes), want)
	}
	for _, n := range g.Nodes {
		if !strings.Contains(read.Text, n.Name) || !strings.Contains(read.Text, n.Guard) {
			t.Errorf("Mermaid does not show %q with %q", n.Name, n.Guard)
		}
	}
}
