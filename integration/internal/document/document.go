// Package document reads the Markdown documents of the repository and runs their commands
// for tests.
package document

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// Registry is the registry in the commands of the documents.
const Registry = "registry.example.com"

// WithRegistry replaces the registry of the documents with the environment's.
func WithRegistry(env *harness.Env, text string) string {
	return strings.ReplaceAll(text, Registry, env.Registry.Host)
}

// Block is a code block of a Markdown document.
type Block struct {
	Line       int    // 1-based line of the opening fence
	Lang, Text string // Text has no fences
	// Directives are the HTML comments right above the block, which tell the tests how to
	// use it.
	Directives []Directive
}

// Directive is an HTML comment "name: argument".
type Directive struct{ Name, Argument string }

// Argument returns the argument of the block's directive with the given name.
func (b Block) Argument(name string) (string, bool) {
	for _, d := range b.Directives {
		if d.Name == name {
			return d.Argument, true
		}
	}
	return "", false
}

// Read returns the code blocks and the lines of a document in the repository.
func Read(t *testing.T, name string) ([]Block, []string) {
	t.Helper()
	root, err := toolchain.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []Block
	var above []Directive
	lines := strings.Split(string(data), "\n")
	for i := 0; i < len(lines); i++ {
		if comment, ok := strings.CutPrefix(lines[i], "<!-- "); ok {
			name, argument, _ := strings.Cut(strings.TrimSuffix(comment, " -->"), ": ")
			above = append(above, Directive{name, argument})
			continue
		}
		if lang, ok := strings.CutPrefix(lines[i], "```"); ok {
			b := Block{Line: i + 1, Lang: lang, Directives: above}
			for i++; i < len(lines) && lines[i] != "```"; i++ {
				b.Text += lines[i] + "\n"
			}
			blocks = append(blocks, b)
		}
		above = nil
	}
	return blocks, lines
}
