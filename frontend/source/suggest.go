package source

import (
	"strings"

	"github.com/agext/levenshtein"
)

// maxEdits is how far from a word a suggestion may be: BuildKit's own bound
// (util/suggest), which is HCL's.
const maxEdits = 2

// Closest returns the option closest to word, compared without case and at most
// two edits away, or "" when none is that close. Two neighbours that are swapped,
// the commonest of typos, are closer than any edit.
func Closest(word string, options []string) string {
	best, dist := "", maxEdits+1
	for _, option := range options {
		d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(option), nil)
		if d == 2 && swapped(strings.ToLower(word), strings.ToLower(option)) {
			return option
		}
		// Two edits turn any two-letter word into any other.
		if d < dist && d < len(word) {
			best, dist = option, d
		}
	}
	return best
}

// swapped reports whether two words differ by two neighbouring letters that have
// changed places.
func swapped(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) - 1 {
		if a[i] != b[i] {
			return a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
		}
	}
	return false
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
