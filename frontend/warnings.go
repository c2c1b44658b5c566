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

	"github.com/stagebuild/stagebuild/frontend/lint"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/llb"
)

// sentWarnings counts the warnings sent to a client, by text, because most platforms of a
// build have the same warnings.
type sentWarnings struct {
	mu     sync.Mutex
	counts map[string]int
}

// add counts a warning of one platform in found. If the platform has the warning more often
// than it was sent, add counts it as sent and returns true.
func (s *sentWarnings) add(found map[string]int, text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found[text]++
	if found[text] <= s.counts[text] {
		return false
	}
	if s.counts == nil {
		s.counts = map[string]int{}
	}
	s.counts[text]++
	return true
}

// warner sends the warnings about one decision to the client, and keeps the names of the
// linter's rules that the user's text violates.
type warner struct {
	req  *request
	set  *plan.Set // nil for a plain Dockerfile
	sent *sentWarnings

	mu    sync.Mutex
	rules []string
	// fails is set if the violations fail the build.
	fails bool
}

func newWarner(req *request, d *decision, sent *sentWarnings) *warner {
	return &warner{req: req, set: d.set, sent: sent}
}

// forPlatform returns the function that BuildKit's linter calls for the violations on one
// platform.
func (w *warner) forPlatform(ctx context.Context) linter.LintWarnFunc {
	found := map[string]int{}
	return func(rule, description, url, message string, location []parser.Range) {
		if lint.IsFromLowering(w.set, rule, location) {
			return
		}
		w.addViolation(rule)
		w.send(ctx, found, rule, description, url, message, location)
	}
}

// send sends a warning unless the client has received it.
func (w *warner) send(ctx context.Context, found map[string]int, rule, description, url, message string, location []parser.Range) {
	line := 0
	if len(location) > 0 {
		line = location[0].Start.Line
	}
	text := linter.LintFormatShort(rule, message, line)
	if !w.sent.add(found, text) {
		return
	}
	w.req.source.Warn(ctx, text, client.WarnOpts{
		Level:  1,
		Detail: [][]byte{[]byte(description)},
		URL:    url,
		Range:  llb.Ranges(location),
	})
}

func (w *warner) addViolation(rule string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.rules, rule) {
		w.rules = append(w.rules, rule)
	}
}

// err returns the error of the violations, if they fail the build (Error in BuildKit's
// linter/linter.go).
func (w *warner) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.fails || len(w.rules) == 0 {
		return nil
	}
	slices.Sort(w.rules)
	return errors.New(lint.Violation + strings.Join(w.rules, ", "))
}

// reportPlanWarnings sends the warnings of the plans, except those that "# check=skip="
// skips. It returns an error if "# check=error=true" is set and there are others.
func (w *warner) reportPlanWarnings(ctx context.Context) error {
	if w.set == nil || len(w.set.Warnings) == 0 {
		return nil
	}
	config, err := lint.Config(w.req.LinterConfig, w.req.file)
	if err != nil {
		return err
	}
	found := map[string]int{}
	config.Warn = func(rule, description, url, message string, location []parser.Range) {
		w.send(ctx, found, rule, description, url, message, location)
	}
	return lint.Report(config, w.set.Warnings)
}

// deferLintFailure disables BuildKit's check=error for the lowered text and lets err
// fail the build instead, so that only violations in the user's text count.
func (w *warner) deferLintFailure() error {
	if w.set == nil {
		return nil
	}
	config, err := lint.Config(w.req.LinterConfig, w.req.file)
	if err != nil || !config.ReturnAsError {
		return err
	}
	config.ReturnAsError = false
	w.req.LinterConfig, w.fails = config, true
	return nil
}
