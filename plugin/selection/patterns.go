package selection

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Patterns say which stages of a file are meant: names, globs ("test-*") and
// exclusions ("!*-debug"), which take away from what the others mean, or from all
// stages where there are no others. None mean the file's default stage.
type Patterns []Pattern

// Pattern is one of them.
type Pattern struct {
	text    string // without the "!"; "" for a default stage without a name
	exclude bool
}

// Every returns the patterns that mean all stages of a file, and its default one
// when that has no name.
func Every(file *syntax.File) Patterns {
	var patterns Patterns
	if len(file.StageNames()) > 0 {
		patterns = append(patterns, Pattern{text: "*"})
	}
	if n := len(file.Stages); n == 0 || file.Stages[n-1].Name == "" {
		patterns = append(patterns, Pattern{})
	}
	return patterns
}

// ParsePatterns reads a list of patterns that are separated by commas. The error
// says which one is malformed.
func ParsePatterns(list string) (Patterns, error) {
	var patterns Patterns
	for text := range strings.SplitSeq(list, ",") {
		name, exclude := strings.CutPrefix(strings.TrimSpace(text), "!")
		if name == "" {
			return nil, fmt.Errorf("a stage name is needed, in %q", list)
		}
		if _, err := path.Match(name, ""); err != nil {
			return nil, fmt.Errorf("%q is no pattern: close the bracket, or write \\[", name)
		}
		patterns = append(patterns, Pattern{text: name, exclude: exclude})
	}
	return patterns, nil
}

// String returns the pattern as it is written.
func (p Pattern) String() string {
	if p.exclude {
		return "!" + p.text
	}
	return p.text
}

// glob reports whether the pattern can mean several stages.
func (p Pattern) glob() bool {
	return strings.ContainsAny(p.text, `*?[\`)
}

func (p Pattern) match(name string) bool {
	ok, _ := path.Match(strings.ToLower(p.text), strings.ToLower(name)) // it was parsed
	return ok
}

// Name returns the one stage that is meant by its name, or "" for the default.
// It reports false when it takes the file to know what is meant.
func (p Patterns) Name() (string, bool) {
	switch {
	case len(p) == 0:
		return "", true
	case len(p) > 1 || p[0].exclude || p[0].glob():
		return "", false
	}
	return p[0].text, true
}

// Names returns the names of the stages that are meant, as the file has them, and of all
// where there are no patterns.
func (p Patterns) Names(file *syntax.File) ([]string, error) {
	if len(p) == 0 {
		return file.StageNames(), nil
	}
	chosen, err := p.choose(file)
	names := make([]string, len(chosen))
	for i, c := range chosen {
		names[i] = strings.ToLower(c.stage)
	}
	return names, err
}

// choice is a stage that is meant.
type choice struct {
	// stage is its name, as it was typed where it was: BuildKit hands that on as
	// TARGETSTAGE.
	stage string
	// named is set when the stage was not meant by a glob alone.
	named bool
}

// choose returns the stages that are meant: in the order of the patterns, those
// of a glob in file order.
func (p Patterns) choose(file *syntax.File) ([]choice, error) {
	if len(p) == 0 {
		return []choice{{named: true}}, nil
	}
	names := file.StageNames()
	var chosen []choice
	add := func(c choice) {
		for i := range chosen {
			if !strings.EqualFold(chosen[i].stage, c.stage) {
				continue
			}
			if c.named && !chosen[i].named {
				chosen[i] = c
			}
			return
		}
		chosen = append(chosen, c)
	}
	if !slices.ContainsFunc(p, func(p Pattern) bool { return !p.exclude }) {
		for _, name := range names {
			add(choice{stage: name})
		}
	}
	for _, pattern := range p {
		if pattern.text == "" {
			add(choice{})
			continue
		}
		matched := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !pattern.match(name) })
		if len(matched) == 0 {
			return nil, noMatch(pattern, names)
		}
		switch {
		case pattern.exclude:
		case pattern.glob():
			for _, name := range matched {
				add(choice{stage: name})
			}
		default:
			add(choice{stage: pattern.text, named: true})
		}
	}
	chosen = slices.DeleteFunc(chosen, func(c choice) bool {
		return slices.ContainsFunc(p, func(p Pattern) bool { return p.exclude && p.match(c.stage) })
	})
	if len(chosen) == 0 {
		return nil, fmt.Errorf("every stage that is meant is excluded, by %s", p.exclusions())
	}
	return chosen, nil
}

func (p Patterns) exclusions() string {
	var list []string
	for _, pattern := range p {
		if pattern.exclude {
			list = append(list, pattern.String())
		}
	}
	return strings.Join(list, ", ")
}

// noMatch is the error for a pattern that means no stage.
func noMatch(p Pattern, names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("no stage is named %q: no stage of the file has a name", p.text)
	}
	if p.glob() {
		return fmt.Errorf("no stage matches %q; the stages are %s", p.text, strings.Join(names, ", "))
	}
	if near := source.Closest(p.text, names); near != "" {
		return fmt.Errorf("no stage is named %q; did you mean %q?", p.text, near)
	}
	return fmt.Errorf("no stage is named %q; the stages are %s", p.text, strings.Join(names, ", "))
}
