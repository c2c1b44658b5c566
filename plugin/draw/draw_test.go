package draw_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/plugin/draw"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// TestCorpus runs testdata/*.txtar. Each archive has a file "Dockerfile" and any
// number of expectations, named after what is drawn and for which environment:
//
//	dot linux/amd64,linux/arm64 DEBUG=1 --target=app --context=assets --all
//
// "words" are what a picture says of its boxes and lines.
func TestCorpus(t *testing.T) {
	forms := map[string]func(io.Writer, *graph.Graph) error{"dot": draw.Dot, "mermaid": draw.Mermaid, "words": words}
	for _, path := range files(t, "testdata/*.txtar") {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range archive.Files[1:] {
			form, environment, _ := strings.Cut(f.Name, " ")
			var out bytes.Buffer
			if err := forms[form](&out, drawing(t, archive.Files[0].Data, environment)); err != nil {
				t.Fatal(err)
			}
			if *update {
				archive.Files[i+1].Data = bytes.Clone(out.Bytes())
			} else if diff := cmp.Diff(string(f.Data), out.String()); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", path, f.Name, diff)
			}
		}
		if *update {
			if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// words writes the titles of a picture.
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

// drawing returns the graph of an environment.
func drawing(t *testing.T, dockerfile []byte, environment string) *graph.Graph {
	t.Helper()
	file, err := syntax.Parse(source.NewFile("Dockerfile", dockerfile))
	if err != nil {
		t.Fatal(err)
	}
	env := plan.Env{Build: platforms.MustParse("linux/amd64"), Args: map[string]string{}, Contexts: map[string]bool{}}
	targets := file.Platforms
	all := false
	for word := range strings.FieldsSeq(environment) {
		name, value, _ := strings.Cut(word, "=")
		switch {
		case name == "--target":
			env.Stage = value
		case name == "--context":
			env.Contexts[value] = true
		case name == "--all":
			all = true
		case strings.Contains(name, "/"):
			targets = nil
			for p := range strings.SplitSeq(name, ",") {
				targets = append(targets, platforms.MustParse(p))
			}
		default:
			env.Args[name] = value
		}
	}
	set, err := plan.ResolveAll(file, env, targets)
	if err != nil {
		t.Fatalf("%s: %v", environment, err)
	}
	var graphs []*graph.Graph
	for _, p := range set.Targets {
		graphs = append(graphs, graph.Of(p))
	}
	if g := graph.Merge(graphs...); all {
		return g
	}
	return graph.Merge(graphs...).Reached()
}

func files(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return paths
}

// samples returns graphs of all kinds: large ones, those of the corpus, one in which
// everything that can be is hostile, and an empty one.
func samples(t *testing.T) map[string]*graph.Graph {
	list := map[string]*graph.Graph{"hostile": hostile(), "empty": {Platforms: []string{"linux/amd64"}}}
	for _, path := range files(t, "testdata/large/*.Dockerfile") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		list[name] = drawing(t, data, "")
		list[name+", all"] = drawing(t, data, "--all")
		list[name+", one platform"] = drawing(t, data, "linux/amd64")
	}
	for _, path := range slices.Concat(files(t, "testdata/*.txtar"), files(t, "../../frontend/graph/testdata/*.txtar")) {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		list[path] = drawing(t, archive.Files[0].Data, "linux/amd64,linux/arm64 --all --context=assets")
	}
	return list
}

// hostile returns a graph whose texts are all made to be taken for something else.
func hostile() *graph.Graph {
	const evil = `</script></title><script>alert(1)</script>"'&lt;]]>\"\n#34;` + "`" + `**x**%%{init}%%|-->` + "\x00\x1b\r\n" + `語` + "\xff"
	fates := []graph.Fate{{Platform: "linux/amd64", State: graph.Reached, RunsOn: evil, Reason: evil}}
	return &graph.Graph{
		File: evil, Platforms: []string{"linux/amd64"}, Targets: []string{"stage:0" + evil},
		Nodes: []*graph.Node{
			{ID: "stage:0" + evil, Kind: graph.Stage, Name: evil, Line: 1, LastLine: 2, Base: evil, Guard: evil, Description: evil, Fates: fates},
			{ID: "image:" + evil, Kind: graph.Image, Name: evil, Platform: evil, Fates: fates},
		},
		Edges: []*graph.Edge{{Stage: "stage:0" + evil, Uses: "image:" + evil, Kind: "FROM", Line: 1, Reference: evil, Platforms: []string{"linux/amd64"}}},
	}
}

// TestDrawingsAreDeterministic draws each sample again and again.
func TestDrawingsAreDeterministic(t *testing.T) {
	forms := map[string]func(io.Writer, *graph.Graph) error{"dot": draw.Dot, "mermaid": draw.Mermaid, "svg": draw.SVG}
	for name, g := range samples(t) {
		for form, write := range forms {
			var first, again bytes.Buffer
			if err := write(&first, g); err != nil {
				t.Fatalf("%s as %s: %v", name, form, err)
			}
			for range 3 {
				again.Reset()
				if err := write(&again, g); err != nil || again.String() != first.String() {
					t.Fatalf("%s as %s differs from itself: %v", name, form, err)
				}
			}
		}
	}
}
