package syntax

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/command"
	dockerfile "github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/stagebuild/stagebuild/frontend/corpus"
	"github.com/stagebuild/stagebuild/frontend/source"
)

// FuzzLexer compares the parser with BuildKit's on arbitrary bytes. Both find the same
// instructions, lines, flags and declared names in files that BuildKit accepts, every
// span is in the file, and a plain file that BuildKit accepts has no errors.
func FuzzLexer(f *testing.F) {
	seed(f)
	f.Fuzz(checkLexer)
}

func checkLexer(t *testing.T, data []byte) {
	file, err := Parse(source.NewFile("Dockerfile", bytes.Clone(data)))
	checkDiagnostics(t, err, len(data))
	for _, in := range file.Instructions {
		checkSpans(t, in, len(data))
	}
	tree, refused := parser.Parse(bytes.NewReader(data))
	if refused != nil {
		return // BuildKit refuses the file
	}
	if diff := cmp.Diff(theirs(tree), ours(file)); diff != "" {
		t.Errorf("instructions of %q (-BuildKit +ours):\n%s", data, diff)
	}
	if file.Escape != tree.EscapeToken {
		t.Errorf("escape character of %q is %q, in BuildKit %q", data, file.Escape, tree.EscapeToken)
	}
	if _, _, refused := dockerfile.Parse(tree.AST, linter.New(&linter.Config{})); refused == nil && err != nil && !usesUnseen(file) {
		t.Errorf("BuildKit accepts %q, but Parse does not: %v", data, err)
	}
}

// usesUnseen reports whether a file uses the language in places that BuildKit's
// instruction parser does not check: comments, the flags of an ARG, triggers, references.
func usesUnseen(file *File) bool {
	unseen := func(ref *Reference) bool { return ref.HasVariables() || ref.hasPlatform() }
	inStage := func(s *Stage) bool { return s.Base.hasPlatform() }
	inInstruction := func(in *Instruction) bool {
		return len(in.own) > 0 || in.Keyword == command.Onbuild || slices.ContainsFunc(in.References, unseen)
	}
	return file.Platforms != nil || slices.ContainsFunc(file.Stages, inStage) || slices.ContainsFunc(file.Instructions, inInstruction)
}

// seed adds the Dockerfiles of the corpus and of BuildKit's own parser tests.
func seed(f *testing.F) {
	for _, a := range corpus.Archives(f, "../plan/testdata/*.txtar") {
		f.Add(a.Dockerfile())
	}
	for _, file := range corpus.BuildKitDockerfiles(f) {
		f.Add(file.Data)
	}
}

// parsed has the properties of an instruction that both parsers return.
type parsed struct {
	Keyword     string
	First, Last int
	Flags       []string
	Names       []string // declared by an ARG or ENV
}

func theirs(tree *parser.Result) []parsed {
	var list []parsed
	for _, node := range tree.AST.Children {
		s := parsed{Keyword: strings.ToLower(node.Value), First: node.StartLine, Last: node.EndLine}
		s.Flags = append(s.Flags, node.Flags...)
		switch s.Keyword {
		case command.Arg:
			for n := node.Next; n != nil; n = n.Next {
				name, _, _ := strings.Cut(n.Value, "=")
				s.Names = append(s.Names, name)
			}
		case command.Env:
			for n := node.Next; n != nil; n = n.Next.Next.Next { // name, value, separator
				s.Names = append(s.Names, n.Value)
			}
		}
		list = append(list, s)
	}
	return list
}

func ours(file *File) []parsed {
	var list []parsed
	for _, in := range file.Instructions {
		s := parsed{Keyword: in.Keyword, First: in.First, Last: in.Last}
		for _, f := range in.head.flags {
			s.Flags = append(s.Flags, latin1(unquote(in.text.string, f.start, f.end, in.escape).string))
		}
		for _, d := range in.Declarations {
			s.Names = append(s.Names, d.Name)
		}
		list = append(list, s)
	}
	return list
}

// latin1 converts each byte of a flag to a character, as BuildKit's extractBuilderFlags
// does: bytes beyond ASCII become two. Parse keeps the bytes, so that the "ü" in
// --if='NAME == "ü"' equals that of an ARG.
func latin1(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

func checkDiagnostics(t *testing.T, err error, size int) {
	for _, d := range source.Diagnostics(err) {
		checkSpan(t, d.Span, size)
		if d.Snippet() == "" || d.Error() == "" || d.Name == "" {
			t.Errorf("diagnostic without a text: %+v", d)
		}
	}
}

func checkSpans(t *testing.T, in *Instruction, size int) {
	checkSpan(t, in.Span(), size)
	checkSpan(t, in.ConditionSpan(0, 1<<20), size)
	for _, s := range in.OwnFlags() {
		checkSpan(t, s, size)
	}
	for _, ref := range slices.Concat(in.References, in.Triggered) {
		checkSpan(t, ref.Span(), size)
		for _, s := range ref.Bytes() {
			checkSpan(t, s, size)
		}
	}
}

func checkSpan(t *testing.T, s source.Span, size int) {
	if s.File == nil || s.Start < 0 || s.End < s.Start || s.End > size {
		t.Errorf("span [%d, %d) is not in the file of %d bytes", s.Start, s.End, size)
	}
}
