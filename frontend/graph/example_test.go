package graph_test

import (
	"fmt"
	"os"

	"github.com/containerd/platforms"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// exampleGraphs returns the graph of a file for each of two platforms.
func exampleGraphs() []*graph.Graph {
	file, err := syntax.Parse(source.NewFile("Dockerfile", []byte(`FROM --for=linux/arm64 debian AS base
FROM alpine AS base
FROM base AS app
`)))
	if err != nil {
		panic(err)
	}
	request := plan.Request{Platforms: []guard.Platform{platforms.MustParse("linux/amd64"), platforms.MustParse("linux/arm64")}}
	set, err := plan.Resolve(file, plan.Env{Build: request.Platforms[0]}, request)
	if err != nil {
		panic(err)
	}
	var graphs []*graph.Graph
	for _, t := range set.Targets {
		graphs = append(graphs, graph.Of(t))
	}
	return graphs
}

// Print the stages and images that a target is built from on two platforms.
func ExampleMerge() {
	if err := graph.Merge(exampleGraphs()...).Write(os.Stdout, 80); err != nil {
		fmt.Println(err)
	}
	// Output:
	// app, line 3
	// ├── line 3: FROM base (line 2) [linux/amd64]
	// │   └── line 2: FROM alpine (image)
	// └── line 3: FROM base (line 1) [linux/arm64]
	//     └── line 1: FROM debian (image)
}

// Explain the variants that are selected and dropped for one platform.
func ExampleExplanation_Write() {
	explanation := graph.Explanation{Explanations: exampleGraphs()[:1]}
	if err := explanation.Write(os.Stdout, 80); err != nil {
		fmt.Println(err)
	}
	// Output:
	// app, line 3 for linux/amd64
	// └── line 3: FROM base (line 2)
	//     ├── line 1: FROM debian is not selected: --for=linux/arm64 does not match
	//     │     linux/amd64
	//     └── line 2: FROM alpine (image), the default
}
