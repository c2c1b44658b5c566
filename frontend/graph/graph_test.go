package graph_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/containerd/platforms"

	"github.com/stagebuild/stagebuild/frontend/corpus"
	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// TestCorpus runs testdata/*.txtar. The name of an expectation is a format and an
// environment:
//
//	explain linux/arm64 DEBUG=1 --target=app --context=base
//	tree linux/amd64,linux/arm64
//	all linux/amd64,linux/arm64
//	json linux/amd64,linux/arm64
func TestCorpus(t *testing.T) {
	corpus.Run(t, "testdata/*.txtar", func(t *testing.T, a corpus.Archive, name string) string {
		format, environment, _ := strings.Cut(name, " ")
		return output(t, format, graphs(t, a.Dockerfile(), environment))
	})
}

// output writes the graphs of one target in a format.
func output(t *testing.T, format string, graphs []*graph.Graph) string {
	t.Helper()
	var out bytes.Buffer
	var err error
	switch format {
	case "explain":
		err = (&graph.Explanation{Explanations: graphs}).Write(&out, 80)
	case "tree":
		err = graph.Merge(graphs...).Reached().Write(&out, 80)
	case "all":
		err = graph.Merge(graphs...).WriteAll(&out, 80)
	case "json":
		encoder := json.NewEncoder(&out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(graph.Merge(graphs...))
	default:
		t.Fatalf("invalid format %q", format)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// graphs returns the graph of a Dockerfile for each platform of an environment.
func graphs(t *testing.T, dockerfile []byte, environment string) []*graph.Graph {
	t.Helper()
	file, _ := syntax.Parse(source.NewFile("Dockerfile", dockerfile))
	return graphsOf(t, file, environment)
}

// graphsOf is graphs for a parsed file. Graphs to merge must be of one file.
func graphsOf(t *testing.T, file *syntax.File, environment string) []*graph.Graph {
	t.Helper()
	asked := corpus.ParseEnvironment(t, environment)
	env := plan.Env{Build: asked.Build, Args: asked.Args, Contexts: asked.Contexts}
	var list []*graph.Graph
	for _, platform := range asked.Platforms {
		set, err := plan.Resolve(file, env, plan.Request{Stage: asked.Stage, Platforms: []guard.Platform{platform}})
		if err != nil {
			t.Fatalf("%s: %v", environment, err)
		}
		list = append(list, graph.Of(set.Targets[0]))
	}
	return list
}

// parse returns a file for several calls of graphsOf.
func parse(t *testing.T, dockerfile string) *syntax.File {
	t.Helper()
	file, err := syntax.Parse(source.NewFile("Dockerfile", []byte(dockerfile)))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestMergeOfTargets merges the graphs of several targets. One target needs the stage lint
// for another platform, and one is lint itself. Merge must not change its arguments.
func TestMergeOfTargets(t *testing.T) {
	file := parse(t, "FROM a AS lint\nFROM --needs=lint::linux/amd64 b AS release\nFROM c AS docs\n")
	release := graphsOf(t, file, "linux/arm64 --target=release")[0]
	lint := graphsOf(t, file, "linux/arm64 --target=lint")[0]
	docs := graphsOf(t, file, "linux/arm64 --target=docs")[0]
	const plain, other = "stage:0", "stage:0@linux/amd64"
	for _, tt := range []struct {
		name   string
		merged *graph.Graph
		of     string
		want   []string
	}{
		{"release", graph.Merge(release), plain, []string{other}},
		{"release and docs", graph.Merge(release, docs), plain, []string{other}},
		{"docs and release", graph.Merge(docs, release), plain, []string{other}},
		{"release and lint", graph.Merge(release, lint), plain, nil},
		{"lint and docs", graph.Merge(lint, docs), other, []string{plain}},
		{"docs", graph.Merge(docs), plain, nil},
		{"release, after it was merged", release, plain, []string{other}},
		{"docs, after it was merged", docs, plain, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			outcome, ok := tt.merged.Node(tt.of).On("linux/arm64")
			if !ok || !slices.Equal(outcome.ReachedAs, tt.want) {
				t.Errorf("%s is %+v", tt.of, outcome)
			}
		})
	}
}

// TestMergeOfTargetsThatDiffer merges two targets for which an instruction of a stage has
// different outcomes. The outcome for the target that reaches the stage counts, whichever
// graph is first.
func TestMergeOfTargetsThatDiffer(t *testing.T) {
	file := parse(t, "FROM alpine AS a\nRUN --if='TARGETSTAGE == \"t\"' --mount=from=busybox x\nFROM a AS b\nFROM alpine AS t\n")
	b, other := graphsOf(t, file, "linux/arm64 --target=b")[0], graphsOf(t, file, "linux/arm64 --target=t")[0]
	for name, merged := range map[string]*graph.Graph{"reached first": graph.Merge(b, other), "reached last": graph.Merge(other, b)} {
		t.Run(name, func(t *testing.T) {
			part := merged.Reached()
			checkSound(t, part)
			for _, e := range part.Edges {
				if e.Uses == "image:busybox" {
					t.Errorf("the targets reach the edge %+v", e)
				}
			}
			if n := merged.Node("image:busybox"); n != nil {
				t.Errorf("nothing uses %+v", n)
			}
			outcome, _ := merged.Node("stage:0").On("linux/arm64")
			if outcome.State != graph.Reached || len(outcome.Instructions) != 1 || !outcome.Instructions[0].Dropped {
				t.Errorf("the stage is %+v", outcome)
			}
		})
	}
}

// TestMergeOfArgs merges two targets that have different values of an arg. The value and
// the outcomes of the ARGs must be of the same target.
func TestMergeOfArgs(t *testing.T) {
	file := parse(t, "ARG --if='TARGETSTAGE == \"a\"' DBG=1\nARG --if='TARGETSTAGE == \"b\"' DBG=2\nFROM scratch AS a\nFROM scratch AS b\n")
	a, b := graphsOf(t, file, "linux/arm64 --target=a")[0], graphsOf(t, file, "linux/arm64 --target=b")[0]
	for want, merged := range map[string]*graph.Graph{"1": graph.Merge(a, b), "2": graph.Merge(b, a)} {
		t.Run("DBG="+want, func(t *testing.T) {
			if got := merged.Args[0].Values["linux/arm64"]; got != want {
				t.Errorf("the value is %q, want %q", got, want)
			}
			for _, in := range merged.Globals[0].Instructions {
				if kept := !in.Dropped; kept != strings.HasSuffix(in.Text, "="+want) {
					t.Errorf("%+v", in)
				}
			}
		})
	}
}

// TestMergeKeepsEdgesApart merges the graphs of two platforms with equal references on
// different lines. Merge joins the edges of one instruction, and no others.
func TestMergeKeepsEdgesApart(t *testing.T) {
	file := parse(t, "FROM a AS tools\nFROM b\nCOPY --from=tools /x /\nCOPY --for=linux/arm64 --from=tools /y /\n")
	var got []string
	for _, e := range graph.Merge(graphsOf(t, file, "linux/amd64,linux/arm64")...).Edges {
		if e.Kind == "COPY --from" {
			got = append(got, fmt.Sprint(e.Span.Pos().Line, " ", e.Platforms))
		}
	}
	if want := []string{"3 [linux/amd64 linux/arm64]", "4 [linux/arm64]"}; !slices.Equal(got, want) {
		t.Errorf("edges %q, want %q", got, want)
	}
}

// TestEmptyLists checks that an empty graph has empty lists, which JSON writes as [] and
// not as null.
func TestEmptyLists(t *testing.T) {
	empty := (&graph.Graph{Nodes: []*graph.Node{}, Edges: []*graph.Edge{}}).Reached()
	if empty.Nodes == nil || empty.Edges == nil {
		t.Errorf("the graph is %+v", empty)
	}
}

// TestGraphsAreSound checks the graphs of all files in the language corpus: edges lead to
// nodes of the graph, IDs are unique, and lines are broken at 80 columns.
func TestGraphsAreSound(t *testing.T) {
	count := 0
	for _, a := range corpus.Archives(t, "../plan/testdata/*.txtar") {
		t.Run(filepath.Base(a.Path), func(t *testing.T) {
			file, _ := syntax.Parse(source.NewFile("Dockerfile", a.Dockerfile()))
			var graphs []*graph.Graph
			for _, name := range []string{"linux/amd64", "linux/arm64", "windows/amd64"} {
				request := plan.Request{Platforms: []guard.Platform{platforms.MustParse(name)}}
				set, err := plan.Resolve(file, plan.Env{Build: platforms.MustParse("linux/amd64")}, request)
				if err != nil {
					continue
				}
				g := graph.Of(set.Targets[0])
				checkSound(t, g)
				checkWidth(t, g)
				graphs = append(graphs, g)
			}
			if len(graphs) > 0 {
				merged := graph.Merge(graphs...)
				checkSound(t, merged)
				checkSound(t, merged.Reached())
			}
			count += len(graphs)
		})
	}
	if count < 30 {
		t.Errorf("only %d files and platforms have a graph", count)
	}
}

func checkSound(t *testing.T, g *graph.Graph) {
	t.Helper()
	ids := map[string]bool{}
	for _, n := range g.Nodes {
		if ids[n.ID] {
			t.Errorf("two nodes have the ID %s", n.ID)
		}
		ids[n.ID] = true
		for _, o := range n.Outcomes {
			if !slices.Contains(g.Platforms, o.Platform) {
				t.Errorf("%s has an outcome for %s", n.ID, o.Platform)
			}
		}
	}
	for _, e := range g.Edges {
		if !ids[e.Stage] || !ids[e.Uses] {
			t.Errorf("an edge leads from %s to %s, the nodes are %v", e.Uses, e.Stage, ids)
		}
	}
	for _, id := range g.Targets {
		if !ids[id] {
			t.Errorf("the target %s is no node", id)
		}
	}
}

func checkWidth(t *testing.T, g *graph.Graph) {
	t.Helper()
	for line := range strings.Lines(output(t, "explain", []*graph.Graph{g})) {
		line = strings.TrimRight(line, "\n")
		words := strings.TrimLeft(line, "│├└─ ")
		if utf8.RuneCountInString(line) > 80 && strings.Contains(words, " ") && !strings.Contains(line, "│   │   │   │   ") {
			t.Errorf("a line has more than 80 columns: %s", line)
		}
	}
}
