package plan_test

import (
	"fmt"

	"github.com/containerd/platforms"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

const exampleFile = `ARG DEBUG
FROM --for=linux/arm64 debian:sid-slim AS base
FROM debian:12-slim AS base
FROM --for=linux/arm64 base AS tools
FROM base AS app
RUN --if=DEBUG apt-get install -y gdb
`

func parseExample() *syntax.File {
	file, err := syntax.Parse(source.NewFile("Dockerfile", []byte(exampleFile)))
	if err != nil {
		panic(err)
	}
	return file
}

// The platforms of the examples.
var (
	exampleAMD64 = platforms.MustParse("linux/amd64")
	exampleARM64 = platforms.MustParse("linux/arm64")
)

// Plan a file for two platforms, and print the variant that each of them builds on.
func ExampleResolve() {
	request := plan.Request{Stage: "app", Platforms: []guard.Platform{exampleAMD64, exampleARM64}}
	set, err := plan.Resolve(parseExample(), plan.Env{Build: exampleAMD64}, request)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range set.Targets {
		base := t.Choice.Edges[0].Stage
		fmt.Printf("%s: line %d, FROM %s\n", guard.FormatPlatform(t.Platform), base.Stage.From.First, base.Edges[0].Name)
	}
	// Output:
	// linux/amd64: line 3, FROM debian:12-slim
	// linux/arm64: line 2, FROM debian:sid-slim
}

// Plan a stage for the platforms that it can be built for.
func ExampleResolvePossible() {
	request := plan.Request{Stage: "tools", Platforms: []guard.Platform{exampleAMD64, exampleARM64}}
	set, err := plan.ResolvePossible(parseExample(), plan.Env{Build: exampleAMD64}, request)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range set.Targets {
		fmt.Println(guard.FormatPlatform(t.Platform))
	}
	// Output: linux/arm64
}

// Print the reasons why a stage cannot be built for a platform.
func ExampleAvailable() {
	available, err := plan.Available(parseExample(), plan.Env{Build: exampleAMD64}, []guard.Platform{exampleAMD64, exampleARM64})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range available.Diagnostics("tools", 0) {
		fmt.Println(d)
	}
	// Output:
	// Dockerfile:4:1: stage "tools" has no variant for linux/amd64:
	//   line 4: --for=linux/arm64 does not match linux/amd64
	// add a variant whose guard holds, or one without a guard below the others: FROM … AS tools
}

// Lower a plan to a plain Dockerfile with the same lines.
func ExampleLower() {
	request := plan.Request{Platforms: []guard.Platform{exampleAMD64}}
	set, err := plan.Resolve(parseExample(), plan.Env{Build: exampleAMD64}, request)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", plan.Lower(set.Targets[0].Plan))
	// Output:
	// ARG DEBUG
	// #
	// FROM debian:12-slim AS base
	// #
	// FROM base AS app
	// #
}
