package syntax

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// FuzzLexerFragments reads files made of what is hard to read, each byte choosing
// a fragment: arbitrary bytes seldom come that far.
func FuzzLexerFragments(f *testing.F) {
	fragments := readFragments(f)
	for seed := range uint64(100) {
		f.Add(choices(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkLexer(t, join(fragments, data))
	})
}

// TestLexerFragments does the same for choices that are always the same.
func TestLexerFragments(t *testing.T) {
	fragments := readFragments(t)
	for seed := range uint64(20_000) {
		checkLexer(t, join(fragments, choices(seed)))
	}
}

// readFragments returns the pieces that files are made of.
func readFragments(t testing.TB) []string {
	data, err := os.ReadFile("../plan/testdata/fragments.txt")
	if err != nil {
		t.Fatal(err)
	}
	var fragments []string
	for line := range strings.Lines(string(data)) {
		text, err := strconv.Unquote(strings.TrimSuffix(line, "\n"))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		fragments = append(fragments, text)
	}
	return fragments
}

func choices(seed uint64) []byte {
	random := rand.New(rand.NewPCG(seed, 2))
	data := make([]byte, 2+random.IntN(20))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

func join(fragments []string, data []byte) []byte {
	var out bytes.Buffer
	for _, b := range data {
		out.WriteString(fragments[int(b)%len(fragments)])
	}
	return out.Bytes()
}
