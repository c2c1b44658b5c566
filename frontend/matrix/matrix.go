// Package matrix multiplies the stages of a file with platforms: which of the
// pairs can be built, and why the others cannot. It decides with the plan code of
// the build itself.
//
// [Of] makes a [Matrix]. Its JSON is for programs, and fields are only ever added to
// it; [Matrix.WriteTable] prints it for people, and [Matrix.Notes] say what is not in
// the table.
package matrix

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Matrix is the stages of a file, and what they can be built for.
type Matrix struct {
	// File is the name of the Dockerfile.
	File string `json:"file"`
	// Platforms are those that were asked about, OS/ARCH[/VARIANT], in that order.
	Platforms []string `json:"platforms"`
	// Stages are those that can be built for one of the platforms at least, in the
	// order in which they were asked about.
	Stages []Stage `json:"stages"`
	// Impossible are the pairs that cannot be built, by stage.
	Impossible []Impossible `json:"impossible"`
}

// Stage is a row of the matrix: a stage that can be built.
type Stage struct {
	// Stage is the stage's name, as --target takes it: "" for the file's default
	// when that has no name.
	Stage string `json:"stage"`
	// Description is what the comment above the stage says.
	Description string `json:"description,omitempty"`
	// Default is set for the stage that is built when none is named.
	Default bool `json:"default"`
	// Platforms are those of the matrix that it can be built for.
	Platforms []string `json:"platforms"`
}

// Impossible is a stage and a platform that it cannot be built for.
type Impossible struct {
	// Stage is the stage's name, "" for the file's default.
	Stage    string `json:"stage"`
	Platform string `json:"platform"`
	// Reason says in a line what is missing.
	Reason string `json:"reason"`
}

// String says that the pair is left out, and why.
func (i Impossible) String() string {
	return fmt.Sprintf("%s is left out for %s: %s", cmp.Or(i.Stage, "the default stage"), i.Platform, i.Reason)
}

// Of multiplies stages with platforms, for one set of build args. Stages are names, ""
// is the file's default; all of [Stages] are taken when there are none. The error is a
// source.List of the diagnostics that the file has whichever stage is built, or names a
// missing stage.
func Of(file *syntax.File, env plan.Env, stages []string, platforms []guard.Platform) (*Matrix, error) {
	if len(stages) == 0 {
		stages = Stages(file)
	}
	available, err := plan.Available(file, env, platforms, stages...)
	if err != nil {
		return nil, err
	}
	m := New(file, platforms)
	for _, stage := range stages {
		if stage != "" && file.Group(stage) == nil {
			return nil, file.NoStageError(stage)
		}
		name := strings.ToLower(stage) // as the file's names are
		var possible []guard.Platform
		for i, platform := range platforms {
			if obstacles := available.Diagnostics(stage, i); len(obstacles) > 0 {
				m.Impossible = append(m.Impossible, NewImpossible(name, platform, obstacles))
			} else {
				possible = append(possible, platform)
			}
		}
		m.Add(file, name, possible)
	}
	return m, nil
}

// Stages are the names of all stages of a file, in its order. A file that ends with a
// stage without a name has its default, "", behind them.
func Stages(file *syntax.File) []string {
	names := file.StageNames()
	if len(file.Stages) > 0 && file.Stages[len(file.Stages)-1].Name == "" {
		names = append(names, "")
	}
	return names
}

// New returns a matrix of platforms that has no stages yet.
func New(file *syntax.File, platforms []guard.Platform) *Matrix {
	return &Matrix{File: file.Source.Name, Platforms: format(platforms), Stages: []Stage{}, Impossible: []Impossible{}}
}

// Add adds a stage of the file, by its name there, with the platforms that it can be
// built for, if there are any.
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

// NewImpossible is a pair that cannot be built, with what stands in its way.
func NewImpossible(stage string, platform guard.Platform, obstacles source.List) Impossible {
	reason, _, _ := strings.Cut(obstacles[0].Message, "\n")
	return Impossible{Stage: stage, Platform: guard.FormatPlatform(platform), Reason: strings.TrimSuffix(reason, ":")}
}

// Nothing is the error when nothing of what is asked for can be built. The notes say why.
func Nothing(notes []string) error {
	return errors.New("none of the requested stages can be built:\n" + strings.Join(notes, "\n"))
}

// Notes say what cannot be built, and why: a line each.
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
