package syntax

import (
	"testing"

	"github.com/stagebuild/stagebuild/frontend/corpus"
)

const fragments = "../plan/testdata/fragments.txt"

// FuzzLexerFragments parses files made of difficult fragments, one for each byte of the
// input. Arbitrary bytes seldom form such files.
func FuzzLexerFragments(f *testing.F) {
	fragments := corpus.Fragments(f, fragments)
	for seed := range uint64(100) {
		f.Add(corpus.Choices(seed))
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		checkLexer(t, []byte(corpus.Join(fragments, choices)))
	})
}

// TestLexerFragments is FuzzLexerFragments for a fixed set of inputs.
func TestLexerFragments(t *testing.T) {
	fragments := corpus.Fragments(t, fragments)
	for seed := range uint64(20_000) {
		checkLexer(t, []byte(corpus.Join(fragments, corpus.Choices(seed))))
	}
}
