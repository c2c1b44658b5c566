package plan

import "strings"

// typos finds the name that another one is a typo away from: one letter more, less
// or other, or two exchanged. It is an index of the names with one letter left
// out, so that a look-up does not go through them all.
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

// near returns the first name that word is a typo away from, and is not itself,
// or "".
func (t typos) near(word string) string {
	word = strings.ToLower(word)
	for key := range shortened(word) {
		for _, name := range t[key] {
			if name != word && len(name) >= minTypoLength && oneTypo(name, word) {
				return name
			}
		}
	}
	return ""
}

// oneTypo reports whether two words of the same key are one typo apart. Those
// that differ by a letter in another place are not.
func oneTypo(a, b string) bool {
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
