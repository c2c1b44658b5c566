package matrix_test

import (
	"fmt"

	"github.com/containerd/platforms"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/selection"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Print the platforms that each stage of a file can be built for.
func ExampleMatrix() {
	file, err := syntax.Parse(source.NewFile("Dockerfile", []byte("FROM --for=linux/arm64 debian AS tools\nFROM alpine AS app\n")))
	if err != nil {
		panic(err)
	}
	targets := []guard.Platform{platforms.MustParse("linux/amd64"), platforms.MustParse("linux/arm64")}
	chosen, err := selection.Select(file, plan.Env{Build: targets[0]}, selection.Every(file), selection.Platforms{Requested: targets})
	if err != nil {
		fmt.Println(err)
		return
	}
	m := chosen.Matrix(file)
	for _, s := range m.Stages {
		fmt.Println(s.Stage, s.Platforms)
	}
	for _, note := range m.Notes() {
		fmt.Println("Note:", note)
	}
	// Output:
	// tools [linux/arm64]
	// app [linux/amd64 linux/arm64]
	// Note: tools is left out for linux/amd64: stage "tools" has no variant for linux/amd64
}
