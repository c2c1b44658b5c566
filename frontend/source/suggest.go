package source

import (
	"strings"

	"github.com/agext/levenshtein"
)

// maxEdits is the maximum distance of a suggestion, as in BuildKit (util/suggest) and HCL.
const maxEdits = 2

// Closest returns the option that is closest to word, ignoring case, or "" if none is
// within two edits. A swap of two neighboring letters, the most common typo, counts as
// closest.
func Closest(word string, options []string) string {
	best, dist := "", maxEdits+1
	for _, option := range options {
		d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(option), nil)
		if d == 2 && OneTypo(strings.ToLower(word), strings.ToLower(option)) {
			return option
		}
		// Two edits turn any two-letter word into any other.
		if d < dist && d < len(word) {
			best, dist = option, d
		}
	}
	return best
}

// OneTypo reports whether two words differ by at most one typo: an extra, a missing or a
// wrong letter, or two neighboring letters swapped.
func OneTypo(a, b string) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) == 2 && len(b) == 2 {
		return a[0] == b[1] && a[1] == b[0]
	}
	return len(a) <= 1 && len(b) <= 1
}

// DidYouMean returns `did you mean "X"?` for the option that Closest returns, or "".
func DidYouMean(word string, options []string) string {
	best := Closest(word, options)
	if best == "" {
		return ""
	}
	return `did you mean "` + best + `"?`
}
