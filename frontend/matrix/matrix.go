package matrix

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Matrix has the stages of a file, and the platforms that each can be built for.
type Matrix struct {
	// File is the name of the Dockerfile.
	File string `json:"file"`
	// Platforms are the target platforms, OS/ARCH[/VARIANT], in the requested order.
	Platforms []string `json:"platforms"`
	// Stages are the stages that can be built for at least one of the platforms, in
	// the requested order.
	Stages []Stage `json:"stages"`
	// Impossible are the pairs that cannot be built, grouped by stage.
	Impossible []Impossible `json:"impossible"`
}

// Stage is a row of the matrix: a stage that can be built.
type Stage struct {
	// Stage is the stage's name, or "" for an unnamed default stage.
	Stage string `json:"stage"`
	// Description is the comment above the stage.
	Description string `json:"description,omitempty"`
	// Default is set for the default stage.
	Default bool `json:"default"`
	// Platforms are the platforms of the matrix that the stage can be built for.
	Platforms []string `json:"platforms"`
}

// Impossible is a stage and a platform that it cannot be built for.
type Impossible struct {
	// Stage is the stage's name, or "" for the default stage.
	Stage    string `json:"stage"`
	Platform string `json:"platform"`
	// Reason is one line.
	Reason string `json:"reason"`
}

// String returns a note about the pair, with the reason.
func (i Impossible) String() string {
	return fmt.Sprintf("%s is left out for %s: %s", cmp.Or(i.Stage, "the default stage"), i.Platform, i.Reason)
}

// New returns a matrix of platforms without stages.
func New(file *syntax.File, platforms []guard.Platform) *Matrix {
	return &Matrix{File: file.Source.Name, Platforms: format(platforms), Stages: []Stage{}, Impossible: []Impossible{}}
}

// Add adds a stage of the file with the platforms that it can be built for. It adds no row
// if there are none. The name "" is the default stage.
func (m *Matrix) Add(file *syntax.File, stage string, platforms []guard.Platform) {
	if len(platforms) == 0 || len(file.Stages) == 0 {
		return
	}
	last := file.Stages[len(file.Stages)-1]
	s := Stage{
		Stage:     stage,
		Default:   stage == "" || strings.EqualFold(stage, last.Name),
		Platforms: format(platforms),
	}
	variants := []*syntax.Stage{last}
	if stage != "" {
		variants = file.Group(stage).Stages
	}
	for _, variant := range variants {
		s.Description = cmp.Or(s.Description, file.Summary(variant.From, variant.Name))
	}
	m.Stages = append(m.Stages, s)
}

// NewImpossible returns a pair that cannot be built. The reason is the summary of the
// first diagnostic.
func NewImpossible(stage string, platform guard.Platform, diagnostics source.List) Impossible {
	return Impossible{Stage: stage, Platform: guard.FormatPlatform(platform), Reason: diagnostics[0].Summary()}
}

// Notes returns a line for each pair that cannot be built, with the reason.
func (m *Matrix) Notes() []string {
	var notes []string
	for _, i := range m.Impossible {
		notes = append(notes, i.String())
	}
	return notes
}

func format(platforms []guard.Platform) []string {
	names := make([]string, 0, len(platforms))
	for _, p := range platforms {
		names = append(names, guard.FormatPlatform(p))
	}
	return names
}
