package corpus

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Fragments returns the fragments in a file that has a quoted Go string on each line.
func Fragments(t testing.TB, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
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

// Choices returns 2 to 32 pseudo-random bytes, always the same ones for a seed.
func Choices(seed uint64) []byte {
	random := rand.New(rand.NewPCG(seed, 1))
	data := make([]byte, 2+random.IntN(31))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

// Join returns the concatenation of fragments, one for each byte of choices.
func Join(fragments []string, choices []byte) string {
	var out strings.Builder
	for _, b := range choices {
		out.WriteString(fragments[int(b)%len(fragments)])
	}
	return out.String()
}
