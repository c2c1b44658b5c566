package frontend

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/gateway/client"
	stagelint "github.com/stagebuild/stagebuild/frontend/lint"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// warnings counts how often a client was warned of each thing: the platforms of a
// build mostly find the same.
type warnings struct {
	mu    sync.Mutex
	given map[string]int
}

// add counts a finding of one platform in found, and reports whether the client
// has not been warned of it as often as that platform has found it.
func (w *warnings) add(found map[string]int, text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	found[text]++
	if found[text] <= w.given[text] {
		return false
	}
	if w.given == nil {
		w.given = map[string]int{}
	}
	w.given[text]++
	return true
}

// warn passes the linter's findings for one platform on to the client.
func (r *request) warn(ctx context.Context, w *work) linter.LintWarnFunc {
	found := map[string]int{}
	return func(rule, description, url, message string, location []parser.Range) {
		line := 0
		if len(location) > 0 {
			line = location[0].Start.Line
		}
		if w.lowered(rule, line) {
			return
		}
		w.violations.add(rule)
		text := linter.LintFormatShort(rule, message, line)
		if !r.warnings.add(found, text) {
			return
		}
		r.source.Warn(ctx, text, client.WarnOpts{
			Level:  1,
			Detail: [][]byte{[]byte(description)},
			URL:    url,
			Range:  toRanges(location),
		})
	}
}

// violations are rules of the linter that are violated.
type violations struct {
	mu    sync.Mutex
	rules []string
	fail  bool // set where they fail the build
}

func (v *violations) add(rule string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !slices.Contains(v.rules, rule) {
		v.rules = append(v.rules, rule)
	}
}

// err is the linter's error (Error in BuildKit's linter/linter.go), or nil.
func (v *violations) err() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.fail || len(v.rules) == 0 {
		return nil
	}
	slices.Sort(v.rules)
	return errors.New(stagelint.Violation + strings.Join(v.rules, ", "))
}

// failLater takes it on itself to fail the build of a lowered file for what its check
// finds, if that is asked for: the linter would also fail it for what is lowered.
func (r *request) failLater(file *syntax.File, w *work) error {
	if w.set == nil {
		return nil
	}
	config, err := r.lintConfig(file)
	if err != nil || !config.ReturnAsError {
		return err
	}
	config.ReturnAsError = false
	r.LinterConfig, w.violations.fail = config, true
	return nil
}

// lowered reports whether BuildKit's linter found fault with what is not the user's:
// with a constant platform where a reference has it, or with "# platforms=" for the
// description of what stands below.
func (w *work) lowered(rule string, line int) bool {
	if w.set == nil {
		return false
	}
	switch rule {
	case linter.RuleFromPlatformFlagConstDisallowed.Name:
		file := w.set.Targets[0].File
		from := file.InstructionAt(file.Source.LineSpan(line))
		return slices.ContainsFunc(w.set.Targets, func(t *plan.Target) bool { return t.AddsPlatform(from) })
	case linter.RuleInvalidDefinitionDescription.Name:
		return belowPlatforms(w.set.Targets[0].File, line)
	}
	return false
}

// belowPlatforms reports whether the comment above a line is "# platforms=". BuildKit
// looks past blank lines for it.
func belowPlatforms(file *syntax.File, line int) bool {
	if file.Platforms == nil {
		return false
	}
	src := file.Source
	above := line - 1
	for above > 0 && strings.TrimSpace(src.LineSpan(above).Text()) == "" {
		above--
	}
	return above == file.PlatformsSpan.Pos().Line
}

// warnOf passes findings of our own on to the client, unless "# check=" skips them.
// The error is the one that "# check=error=true" asks for.
func (r *request) warnOf(ctx context.Context, file *syntax.File, found source.List) error {
	if len(found) == 0 {
		return nil
	}
	config, err := r.lintConfig(file)
	if err != nil {
		return err
	}
	config.Warn = r.warn(ctx, &work{})
	return runRules(config, found)
}

// runRules hands findings to the linter, which knows what is skipped.
func runRules(config *linter.Config, found source.List) error {
	l := linter.New(config)
	for _, d := range found {
		rule := &linter.LinterRule[func()]{Name: d.Name, Description: d.Message}
		l.Run(rule, []parser.Range{parserRange(d)}, d.Message+"; "+d.Hint)
	}
	return l.Error()
}
