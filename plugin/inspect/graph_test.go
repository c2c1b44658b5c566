package inspect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/draw"
)

// pageOf returns the page of a Dockerfile for linux/amd64 and linux/arm64.
func pageOf(t *testing.T, dockerfile string, args map[string]string) *draw.Page {
	t.Helper()
	file, err := syntax.Parse(source.NewFile("Dockerfile", []byte(dockerfile)))
	if err != nil {
		t.Fatal(err)
	}
	q := &cli.Query{File: file, Env: plan.Env{Build: platforms.MustParse("linux/amd64"), Args: args}}
	q.Platforms.Requested = []guard.Platform{platforms.MustParse("linux/amd64"), platforms.MustParse("linux/arm64")}
	graphs, notes, err := q.Graphs(nil)
	if err != nil {
		t.Fatal(err)
	}
	return newPage(q, graphOptions{format: "html"}, graphs, notes)
}

// TestPageChoices checks the args that the reader of a page can set, and the platform and
// args of each view.
func TestPageChoices(t *testing.T) {
	p := pageOf(t, `ARG DEBUG=0
ARG LIBC
ARG --for=linux/arm64 LEVEL=3
ARG --for=linux/amd64 LEVEL=2
ARG UNUSED=1
FROM scratch AS tools
FROM --if='!DEBUG && TARGETOS == "linux"' scratch AS app
LABEL --if='LIBC == "musl" || LEVEL > 2' a=b
COPY --if=DEBUG --from=tools a b
FROM --if=DEBUG tools AS app
FROM app
ARG VARIANT=slim
LABEL --if='VARIANT == "slim"' c=d
`, map[string]string{"LIBC": "glibc"})
	want := []draw.Choice{
		{Key: "arg.DEBUG", Name: "DEBUG", Values: []string{"0 (default)", "1"}},
		{Key: "arg.LEVEL", Name: "LEVEL", Values: []string{"(default)", "1", "2", "3"}},
		{Key: "arg.LIBC", Name: "LIBC", Values: []string{"glibc (given)", "musl"}},
		{Key: "platform", Name: "Platform", Values: []string{"all", "linux/amd64", "linux/arm64"}},
	}
	if diff := cmp.Diff(want, p.Choices); diff != "" {
		t.Errorf("choices (-want +got):\n%s", diff)
	}
	if len(p.Views) != 2*4*2*3 || p.Note != "" {
		t.Fatalf("there are %d views, and the note %q", len(p.Views), p.Note)
	}
	for i, v := range p.Views {
		platform := []string{"linux/amd64 linux/arm64", "linux/amd64", "linux/arm64"}[i%3]
		debug := i >= len(p.Views)/2
		if got := strings.Join(v.Graph.Platforms, " "); got != platform {
			t.Errorf("view %d is for %s, want %s", i, got, platform)
		}
		if got := strings.Contains(v.Text, "FROM app (line 10)"); got != debug {
			t.Errorf("view %d has app (line 10) %v:\n%s", i, got, v.Text)
		}
	}
}

// TestPageErrors has a combination for which the stage cannot be built.
func TestPageErrors(t *testing.T) {
	p := pageOf(t, "ARG DEBUG=0\nFROM --if=!DEBUG scratch AS app\nFROM app\n", nil)
	if len(p.Views) != 6 || p.Views[0].Graph == nil || p.Views[3].Graph != nil || !strings.Contains(p.Views[3].Error, "app") {
		t.Errorf("the views are %+v", p.Views)
	}
}

// TestPageErrorsOfOnePlatform has a combination for which the stage can only be built for
// one of two platforms.
func TestPageErrorsOfOnePlatform(t *testing.T) {
	p := pageOf(t, "ARG DEBUG=0\nFROM --if='!DEBUG' scratch AS base\nFROM --for=linux/amd64 scratch AS base\nFROM base AS app\n", nil)
	if len(p.Views) != 6 {
		t.Fatalf("the views are %+v", p.Views)
	}
	all, amd64, arm64 := p.Views[3], p.Views[4], p.Views[5]
	if amd64.Graph == nil || !strings.Contains(amd64.Text, "FROM base (line 3)") || strings.Join(amd64.Graph.Platforms, " ") != "linux/amd64" {
		t.Errorf("linux/amd64 has the error %q, and the text\n%s", amd64.Error, amd64.Text)
	}
	for _, v := range []draw.View{all, arm64} {
		if !strings.Contains(v.Error, `"base" has no variant for linux/arm64`) {
			t.Errorf("the view is %+v", v)
		}
	}
}

// TestPageBounds has more args in conditions than a page can have.
func TestPageBounds(t *testing.T) {
	var args, labels string
	for i := range 12 {
		args += fmt.Sprintf("ARG A%02d=0\n", i)
		labels += fmt.Sprintf("LABEL --if=A%02d a=b\n", i)
	}
	p := pageOf(t, args+"FROM scratch\n"+labels, nil)
	views := 1
	for _, c := range p.Choices {
		views *= len(c.Values)
	}
	if len(p.Views) != views || views > maxViews || views <= maxViews/2 {
		t.Errorf("there are %d views of %d combinations", len(p.Views), views)
	}
	if want := "This page holds at most 96 combinations. Left out: A05=1, A06=1, A07=1, A08=1, A09=1, A10=1, A11=1. Draw them with --build-arg."; p.Note != want {
		t.Errorf("the note is %q, want %q", p.Note, want)
	}
	if within, left := bounded(nil, 200, 5000); len(within) != 0 || left != "" {
		t.Errorf("platforms are left out: %v, %q", within, left)
	}
}
