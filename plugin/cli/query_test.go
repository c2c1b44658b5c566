package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/platforms"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/selection"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// TestGraphsOfManyStages makes the graphs of many stages at the same time from plans that
// they share, repeatedly, for the race detector.
func TestGraphsOfManyStages(t *testing.T) {
	var dockerfile strings.Builder
	for i := range 40 {
		fmt.Fprintf(&dockerfile, "FROM alpine AS s%d\nARG L%[1]d=1\nRUN --if='L%[1]d == \"1\"' x\n", i)
	}
	patterns, err := selection.ParsePatterns("s39,s2*,s0")
	if err != nil {
		t.Fatal(err)
	}
	for range 400 {
		file, err := syntax.Parse(source.NewFile("Dockerfile", []byte(dockerfile.String())))
		if err != nil {
			t.Fatal(err)
		}
		q := &Query{File: file, Env: plan.Env{Build: platforms.MustParse("linux/amd64")}}
		q.Platforms.Requested = []guard.Platform{platforms.MustParse("linux/amd64"), platforms.MustParse("linux/arm64")}
		graphs, _, err := q.Graphs(patterns)
		if err != nil || len(graphs) != 26 {
			t.Fatalf("%d graphs, %v", len(graphs), err)
		}
	}
}
