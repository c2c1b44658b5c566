package frontend

import (
	"context"
	"sync"

	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/gateway/client"
)

// warnings remembers what was warned of: the platforms of a build mostly find
// the same.
type warnings struct {
	mu   sync.Mutex
	seen map[string]bool
}

// first reports whether a warning is new.
func (w *warnings) first(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen[text] {
		return false
	}
	if w.seen == nil {
		w.seen = map[string]bool{}
	}
	w.seen[text] = true
	return true
}

// warn passes the linter's findings on to the client.
func (r *request) warn(ctx context.Context) linter.LintWarnFunc {
	return func(rule, description, url, message string, location []parser.Range) {
		line := 0
		if len(location) > 0 {
			line = location[0].Start.Line
		}
		text := linter.LintFormatShort(rule, message, line)
		if !r.warnings.first(text) {
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
