package plan

import (
	"strings"

	"github.com/stagebuild/stagebuild/frontend/source"
)

// minTypoLength is the shortest stage name that a similar name is taken for. Shorter
// names all resemble each other.
const minTypoLength = 4

// typos finds the name that a word is a typo away from: one letter more, less or
// other, or two exchanged. It indexes the names with one letter left out, so that a
// lookup does not go through all of them.
type typos map[string][]string

func newTypos(names []string) typos {
	t := typos{}
	for _, name := range names {
		for key := range shortened(name) {
			t[key] = append(t[key], name)
		}
	}
	return t
}

// near returns the first name other than word that word is a typo away from, or "".
func (t typos) near(word string) string {
	word = strings.ToLower(word)
	for key := range shortened(word) {
		for _, name := range t[key] {
			// Words of one key can differ by a letter in another place.
			if name != word && len(name) >= minTypoLength && source.OneTypo(name, word) {
				return name
			}
		}
	}
	return ""
}

// shortened yields a word, and the word without each of its letters.
func shortened(word string) func(func(string) bool) {
	return func(yield func(string) bool) {
		if !yield(word) {
			return
		}
		for i := range word {
			if !yield(word[:i] + word[i+1:]) {
				return
			}
		}
	}
}
