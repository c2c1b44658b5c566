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

// FuzzLexer reads arbitrary bytes. Whatever BuildKit's parser accepts has the
// same instructions here, with the same lines, flags and declared names, and
// every span lies inside the file. Whatever BuildKit's instructions are made of is
// not refused.
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
		return // BuildKit refuses the file, and is asked to.
	}
	if diff := cmp.Diff(theirs(tree), ours(file)); diff != "" {
		t.Errorf("instructions of %q (-BuildKit +ours):\n%s", data, diff)
	}
	if file.Escape != tree.EscapeToken {
		t.Errorf("escape character of %q is %q, in BuildKit %q", data, file.Escape, tree.EscapeToken)
	}
	if _, _, refused := dockerfile.Parse(tree.AST, linter.New(&linter.Config{})); refused == nil && err != nil && !usesUnseen(file) {
		t.Errorf("%q is refused, and by BuildKit it is not: %v", data, err)
	}
}

// usesUnseen reports whether a file uses the language where BuildKit does not see it
// before it converts the instructions, or never: in a comment, in the flags of an ARG,
// in triggers, in references.
func usesUnseen(file *File) bool {
	unseen := func(ref *Reference) bool { return ref.HasVariables() || ref.namesPlatform() }
	inStage := func(s *Stage) bool { return s.Base.namesPlatform() }
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

// seen is what both parsers have to say of an instruction.
type seen struct {
	Keyword     string
	First, Last int
	Flags       []string
	Names       []string // what an ARG or ENV declares
}

func theirs(tree *parser.Result) []seen {
	var list []seen
	for _, node := range tree.AST.Children {
		s := seen{Keyword: strings.ToLower(node.Value), First: node.StartLine, Last: node.EndLine}
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

func ours(file *File) []seen {
	var list []seen
	for _, in := range file.Instructions {
		s := seen{Keyword: in.Keyword, First: in.First, Last: in.Last}
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

// latin1 does to a flag what BuildKit's extractBuilderFlags does: it takes every
// byte for a character, and so writes those beyond ASCII as two bytes. Here a
// flag keeps its bytes: --if='NAME == "ü"' compares with what an ARG holds.
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
	if s.Start < 0 || s.End < s.Start || s.End > size {
		t.Errorf("span %v is outside of a file of %d bytes", s, size)
	}
}
