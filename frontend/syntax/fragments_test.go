package syntax

import (
	"testing"

	"github.com/stagebuild/stagebuild/frontend/corpus"
)

const fragments = "../plan/testdata/fragments.txt"

// FuzzLexerFragments reads files made of what is hard to read, each byte choosing
// a fragment: arbitrary bytes seldom come that far.
func FuzzLexerFragments(f *testing.F) {
	fragments := corpus.Fragments(f, fragments)
	for seed := range uint64(100) {
		f.Add(corpus.Choices(seed))
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		checkLexer(t, []byte(corpus.Join(fragments, choices)))
	})
}

// TestLexerFragments does the same for choices that are always the same.
func TestLexerFragments(t *testing.T) {
	fragments := corpus.Fragments(t, fragments)
	for seed := range uint64(20_000) {
		checkLexer(t, []byte(corpus.Join(fragments, corpus.Choices(seed))))
	}
}
