package plan_test

import (
	"testing"

	"github.com/stagebuild/stagebuild/frontend/corpus"
)

const fragments = "testdata/fragments.txt"

// FuzzFragments lowers files that are joined from fragments which are hard to parse. Each
// byte selects a fragment. Arbitrary bytes rarely form a file that can be lowered.
func FuzzFragments(f *testing.F) {
	fragments := corpus.Fragments(f, fragments)
	for seed := range uint64(100) {
		f.Add(corpus.Choices(seed))
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		checkFragments(t, fragments, choices)
	})
}

// TestFragments runs FuzzFragments for a fixed list of choices.
func TestFragments(t *testing.T) {
	fragments := corpus.Fragments(t, fragments)
	for seed := range uint64(20_000) {
		checkFragments(t, fragments, corpus.Choices(seed))
	}
}

func checkFragments(t *testing.T, fragments []string, choices []byte) {
	text := corpus.Join(fragments, choices)
	if len(choices) > 0 && choices[0]%2 == 0 {
		text = "ARG A\nFROM alpine AS b\n" + text
	}
	checkLower(t, []byte(text), "linux/amd64", "A", "b")
}
