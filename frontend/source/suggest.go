package source

import (
	"strings"

	"github.com/agext/levenshtein"
)

// maxEdits is how far from a word a suggestion may be: BuildKit's own bound
// (util/suggest), which is HCL's.
const maxEdits = 2

// Closest returns the option closest to word, compared without case and at most
// two edits away, or "" when none is that close.
func Closest(word string, options []string) string {
	best, dist := "", maxEdits+1
	for _, option := range options {
		d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(option), nil)
		// Two edits turn any two-letter word into any other.
		if d < dist && d < len(word) {
			best, dist = option, d
		}
	}
	return best
}

// DidYouMean returns `did you mean "X"?` for the option that is closest to word,
// or "" when none is close.
func DidYouMean(word string, options []string) string {
	best := Closest(word, options)
	if best == "" {
		return ""
	}
	return `did you mean "` + best + `"?`
}
