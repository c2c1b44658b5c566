package selection

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Patterns select stages of a file: names, globs ("test-*") and exclusions
// ("!*-debug"). Exclusions remove stages from those that the other patterns select, or
// from all stages if there are no others. No patterns select the file's default stage.
type Patterns []Pattern

// Pattern is a name, a glob or an exclusion.
type Pattern struct {
	text    string // without the "!"; "" for a default stage without a name
	exclude bool
	literal bool // not a glob, whatever its characters
}

// Stage returns the pattern of one stage name.
func Stage(name string) Patterns {
	return Patterns{{text: name, literal: true}}
}

// Every returns patterns that select all stages of a file, and its default stage if that
// has no name.
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

// ParsePatterns parses a list of patterns separated by commas. The error names the
// invalid one.
func ParsePatterns(list string) (Patterns, error) {
	var patterns Patterns
	for text := range strings.SplitSeq(list, ",") {
		name, exclude := strings.CutPrefix(strings.TrimSpace(text), "!")
		if name == "" {
			return nil, fmt.Errorf("%q has an empty stage name", list)
		}
		if _, err := path.Match(name, ""); err != nil {
			return nil, fmt.Errorf("invalid pattern %q: close the bracket, or write \\[", name)
		}
		patterns = append(patterns, Pattern{text: name, exclude: exclude})
	}
	return patterns, nil
}

// String returns the pattern as the user wrote it.
func (p Pattern) String() string {
	if p.exclude {
		return "!" + p.text
	}
	return p.text
}

// isGlob reports whether the pattern can select several stages.
func (p Pattern) isGlob() bool {
	return !p.literal && strings.ContainsAny(p.text, `*?[\`)
}

// matches reports whether the pattern matches a stage name.
func (p Pattern) matches(name string) bool {
	if p.literal {
		return strings.EqualFold(p.text, name)
	}
	ok, _ := path.Match(strings.ToLower(p.text), strings.ToLower(name)) // ParsePatterns has checked it
	return ok
}

// Name returns the one stage that the patterns select by its name, or "" for the default
// stage. It reports false if only the file tells which stages they select.
func (p Patterns) Name() (string, bool) {
	switch {
	case len(p) == 0:
		return "", true
	case len(p) > 1 || p[0].exclude || p[0].isGlob():
		return "", false
	}
	return p[0].text, true
}

// Names returns the selected stage names in lower case, as the file has them. Without
// patterns it returns all names.
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

// choice is a selected stage.
type choice struct {
	// stage is its name. The case is the user's unless a glob selected the stage,
	// because BuildKit passes the name on as TARGETSTAGE.
	stage string
	// named is set if the user gave the stage by name.
	named bool
}

// choose returns the selected stages in the order of the patterns, those of a glob in
// file order.
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
		matched := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !pattern.matches(name) })
		if len(matched) == 0 {
			return nil, noMatch(pattern, names)
		}
		switch {
		case pattern.exclude:
		case pattern.isGlob():
			for _, name := range matched {
				add(choice{stage: name})
			}
		default:
			add(choice{stage: pattern.text, named: true})
		}
	}
	chosen = slices.DeleteFunc(chosen, func(c choice) bool {
		return slices.ContainsFunc(p, func(p Pattern) bool { return p.exclude && p.matches(c.stage) })
	})
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%s excludes every selected stage", p.exclusions())
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

// noMatch returns the error of a pattern that selects no stage.
func noMatch(p Pattern, names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("no stage is named %q; the stages of the file have no names", p.text)
	}
	if p.isGlob() {
		return fmt.Errorf("no stage matches %q; the stages are %s", p.text, strings.Join(names, ", "))
	}
	if near := source.Closest(p.text, names); near != "" {
		return fmt.Errorf("no stage is named %q; did you mean %q?", p.text, near)
	}
	return fmt.Errorf("no stage is named %q; the stages are %s", p.text, strings.Join(names, ", "))
}
