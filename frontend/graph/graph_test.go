package graph_test

import (
	"bytes"
	"encoding/json"
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

// TestCorpus runs testdata/*.txtar. Expectations are named after what is printed, and
// for which environment:
//
//	explain linux/arm64 DEBUG=1 --target=app --context=base
//	tree linux/amd64,linux/arm64
//	all linux/amd64,linux/arm64
//	json linux/amd64,linux/arm64
func TestCorpus(t *testing.T) {
	corpus.Run(t, "testdata/*.txtar", func(t *testing.T, a corpus.Archive, name string) string {
		form, environment, _ := strings.Cut(name, " ")
		return output(t, form, graphs(t, a.Dockerfile(), environment))
	})
}

func output(t *testing.T, form string, graphs []*graph.Graph) string {
	var out bytes.Buffer
	var err error
	switch form {
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
		t.Fatalf("%q is no form of output", form)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// graphs returns the graph of each platform of an environment.
func graphs(t *testing.T, dockerfile []byte, environment string) []*graph.Graph {
	file, _ := syntax.Parse(source.NewFile("Dockerfile", dockerfile))
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

// TestMergeOfTargets merges what is reached for one target only as a stage of another
// platform with what is reached for a second one. The graphs that it merges stay as they are.
func TestMergeOfTargets(t *testing.T) {
	dockerfile := []byte("FROM a AS lint\nFROM --needs=lint::linux/amd64 b AS release\nFROM c AS docs\n")
	release := graphs(t, dockerfile, "linux/arm64 --target=release")[0]
	lint := graphs(t, dockerfile, "linux/arm64 --target=lint")[0]
	docs := graphs(t, dockerfile, "linux/arm64 --target=docs")[0]
	const plain, other = "stage:0", "stage:0@linux/amd64"
	for name, tt := range map[string]struct {
		merged *graph.Graph
		of     string
		want   []string
	}{
		"release":           {graph.Merge(release), plain, []string{other}},
		"release and docs":  {graph.Merge(release, docs), plain, []string{other}},
		"docs and release":  {graph.Merge(docs, release), plain, []string{other}},
		"release and lint":  {graph.Merge(release, lint), plain, nil},
		"lint and docs":     {graph.Merge(lint, docs), other, []string{plain}},
		"docs":              {graph.Merge(docs), plain, nil},
		"release, as it is": {release, plain, []string{other}},
		"docs, as they are": {docs, plain, nil},
	} {
		outcome, ok := tt.merged.Node(tt.of).On("linux/arm64")
		if !ok || !slices.Equal(outcome.ReachedAs, tt.want) {
			t.Errorf("%s: %s is %+v", name, tt.of, outcome)
		}
	}
}

// TestMergeOfTargetsThatDiffer merges targets that decide about an instruction of a stage: the
// one that reaches the stage counts, whichever comes first.
func TestMergeOfTargetsThatDiffer(t *testing.T) {
	dockerfile := []byte("FROM alpine AS a\nRUN --if='TARGETSTAGE == \"t\"' --mount=from=busybox x\nFROM a AS b\nFROM alpine AS t\n")
	b, other := graphs(t, dockerfile, "linux/arm64 --target=b")[0], graphs(t, dockerfile, "linux/arm64 --target=t")[0]
	for _, merged := range []*graph.Graph{graph.Merge(b, other), graph.Merge(other, b)} {
		part := merged.Reached()
		checkSound(t, "two targets", part)
		for _, e := range part.Edges {
			if e.Uses == "image:busybox" {
				t.Errorf("what is built has the edge %+v", e)
			}
		}
		if n := merged.Node("image:busybox"); n != nil {
			t.Errorf("nothing uses %+v", n)
		}
		outcome, _ := merged.Node("stage:0").On("linux/arm64")
		if outcome.State != graph.Reached || len(outcome.Instructions) != 1 || !outcome.Instructions[0].Dropped {
			t.Errorf("the stage is %+v", outcome)
		}
	}
}

// TestMergeOfArgs merges targets that have different values of an arg: what is said of the
// value and of the ARG is about the same one. Nothing is an empty list, and not null.
func TestMergeOfArgs(t *testing.T) {
	dockerfile := []byte("ARG --if='TARGETSTAGE == \"a\"' DBG=1\nARG --if='TARGETSTAGE == \"b\"' DBG=2\nFROM scratch AS a\nFROM scratch AS b\n")
	a, b := graphs(t, dockerfile, "linux/arm64 --target=a")[0], graphs(t, dockerfile, "linux/arm64 --target=b")[0]
	for want, merged := range map[string]*graph.Graph{"1": graph.Merge(a, b), "2": graph.Merge(b, a)} {
		if got := merged.Args[0].Values["linux/arm64"]; got != want {
			t.Errorf("DBG is %q, want %q", got, want)
		}
		for _, in := range merged.Globals[0].Instructions {
			if kept := !in.Dropped; kept != strings.HasSuffix(in.Text, "="+want) {
				t.Errorf("with DBG = %q: %+v", want, in)
			}
		}
	}
	empty := (&graph.Graph{Nodes: []*graph.Node{}, Edges: []*graph.Edge{}}).Reached()
	if empty.Nodes == nil || empty.Edges == nil {
		t.Errorf("what is reached of nothing is %+v", empty)
	}
}

// TestGraphsAreSound holds what is drawn of each file of the language corpus: edges
// lead from node to node, IDs are not shared, lines fit where their words allow it.
func TestGraphsAreSound(t *testing.T) {
	drawn := 0
	for _, a := range corpus.Archives(t, "../plan/testdata/*.txtar") {
		file, _ := syntax.Parse(source.NewFile("Dockerfile", a.Dockerfile()))
		var merged []*graph.Graph
		for _, name := range []string{"linux/amd64", "linux/arm64", "windows/amd64"} {
			request := plan.Request{Platforms: []guard.Platform{platforms.MustParse(name)}}
			set, err := plan.Resolve(file, plan.Env{Build: platforms.MustParse("linux/amd64")}, request)
			if err != nil {
				continue
			}
			drawn++
			g := graph.Of(set.Targets[0])
			checkSound(t, a.Path, g)
			checkWidth(t, a.Path, g)
			merged = append(merged, g)
		}
		if len(merged) > 0 {
			all := graph.Merge(merged...)
			checkSound(t, a.Path, all)
			checkSound(t, a.Path, all.Reached())
		}
	}
	if drawn < 30 {
		t.Errorf("only %d graphs were drawn", drawn)
	}
}

func checkSound(t *testing.T, path string, g *graph.Graph) {
	ids := map[string]bool{}
	for _, n := range g.Nodes {
		if ids[n.ID] {
			t.Errorf("%s: two nodes %s", path, n.ID)
		}
		ids[n.ID] = true
		for _, f := range n.Outcomes {
			if !slices.Contains(g.Platforms, f.Platform) {
				t.Errorf("%s: %s has an outcome for %s", path, n.ID, f.Platform)
			}
		}
	}
	for _, e := range g.Edges {
		if !ids[e.Stage] || !ids[e.Uses] {
			t.Errorf("%s: an edge from %s to %s, of %v", path, e.Uses, e.Stage, ids)
		}
	}
	for _, id := range g.Targets {
		if !ids[id] {
			t.Errorf("%s: no node %s", path, id)
		}
	}
}

func checkWidth(t *testing.T, path string, g *graph.Graph) {
	text := output(t, "explain", []*graph.Graph{g})
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		words := strings.TrimLeft(line, "│├└─ ")
		if utf8.RuneCountInString(line) > 80 && strings.Contains(words, " ") && !strings.Contains(line, "│   │   │   │   ") {
			t.Errorf("%s: a line of more than 80 columns: %s", path, line)
		}
	}
}
