package plan_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/stagebuild/stagebuild/frontend/corpus"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// FuzzLower lowers arbitrary bytes for a platform and a build arg. The lowered file must
// have the same lines, and BuildKit must parse the kept instructions as before, apart from
// their guards.
func FuzzLower(f *testing.F) {
	seed(f)
	f.Fuzz(checkLower)
}

// checkLower lowers a file for a platform and a build arg, if it is valid.
func checkLower(t *testing.T, data []byte, target, name, value string) {
	platform, err := platforms.Parse(target)
	if err != nil {
		return
	}
	file, syntaxErr := syntax.Parse(source.NewFile("Dockerfile", bytes.Clone(data)))
	env := plan.Env{Build: platforms.MustParse("linux/amd64"), Args: map[string]string{name: value}}
	set, err := plan.Resolve(file, env, plan.Request{Platforms: []guard.Platform{platform}})
	checkSpans(t, err, len(data))
	for _, d := range source.Diagnostics(syntaxErr) {
		if !slices.Contains(source.Diagnostics(err), d) {
			t.Errorf("resolving %q does not report %v", data, d)
		}
	}
	if err != nil {
		return
	}
	p := set.Targets[0]
	built := reached(p)
	for _, c := range p.Stages {
		for _, in := range c.Stage.Body {
			if built[c] && !in.IsBlock() && p.Decision(in).IsUndecided() {
				t.Fatalf("%q is built although line %d is undecided", data, in.First)
			}
		}
	}
	lowered := plan.Lower(p.Plan)
	if !bytes.Equal(file.Source.Data, data) {
		t.Fatal("the file was changed")
	}
	if !file.IsStaged && !bytes.Equal(lowered, data) {
		t.Fatalf("a plain file was changed: %q became %q", data, lowered)
	}
	if got, want := bytes.Count(lowered, []byte("\n")), bytes.Count(data, []byte("\n")); got != want {
		t.Fatalf("%q became %q: %d line breaks, want %d", data, lowered, got, want)
	}
	checkInstructions(t, p.Plan, data, lowered)
	// The lowered file keeps # platforms=, which is a plain comment to BuildKit.
	uncommented := bytes.ReplaceAll(lowered, []byte("platforms"), []byte("PLATFORMS"))
	again, err := syntax.Parse(source.NewFile("Dockerfile", uncommented))
	if err != nil || again.IsStaged {
		t.Fatalf("%q became %q, which still uses the language: %v", data, lowered, err)
	}
}

// seed adds the corpus with all its environments, and the Dockerfiles of BuildKit's parser
// tests.
func seed(f *testing.F) {
	for _, a := range corpus.Archives(f, "testdata/*.txtar") {
		for _, file := range a.Expectations() {
			target, args, _ := strings.Cut(file.Name, " ")
			name, value, _ := strings.Cut(args, "=")
			f.Add(a.Dockerfile(), target, name, value)
		}
	}
	for _, file := range corpus.BuildKitDockerfiles(f) {
		f.Add(file.Data, "linux/arm64", "DEBUG", "1")
	}
}

func checkSpans(t *testing.T, err error, size int) {
	for _, d := range source.Diagnostics(err) {
		if d.Span.Start < 0 || d.Span.End < d.Span.Start || d.Span.End > size {
			t.Errorf("span %v is outside of a file of %d bytes: %v", d.Span, size, d)
		}
	}
}

// reached returns the stages that a target is built from or needs, including itself.
func reached(t *plan.Target) map[*plan.Choice]bool {
	found := map[*plan.Choice]bool{}
	var visit func(*plan.Choice)
	visit = func(c *plan.Choice) {
		if c == nil || found[c] {
			return
		}
		found[c] = true
		for _, e := range c.Edges {
			visit(e.Stage)
		}
	}
	visit(t.Choice)
	return found
}

// checkInstructions checks that BuildKit parses the kept instructions of the lowered file
// as in the original file: on the same lines, with the same comments, arguments, heredocs
// and flags, apart from the guards.
func checkInstructions(t *testing.T, p *plan.Plan, data, lowered []byte) {
	before, err := parser.Parse(bytes.NewReader(data))
	if err != nil {
		return // BuildKit refuses the original file, too.
	}
	var want []*parser.Node
	for i, isKept := range plan.Kept(p) {
		if isKept {
			want = append(want, before.AST.Children[i])
		}
	}
	after, err := parser.Parse(bytes.NewReader(lowered))
	if len(want) == 0 {
		return // BuildKit refuses a file without instructions.
	}
	if err != nil {
		t.Fatalf("%q became %q: %v", data, lowered, err)
	}
	if after.EscapeToken != before.EscapeToken {
		t.Errorf("%q became %q: the escape character changed", data, lowered)
	}
	got := after.AST.Children
	if len(got) != len(want) {
		t.Fatalf("%q became %q: %d instructions, want %d", data, lowered, len(got), len(want))
	}
	for i := range want {
		before, after := read(want[i]), read(got[i])
		if before.Keyword == command.From && (strings.Contains(before.Args, "::") || strings.Contains(before.Args, "$") || strings.Contains(after.Args, "scratch")) {
			// Lowering replaces a base with a platform by a named context and adds
			// --platform. It replaces an invalid base of an unreached stage by
			// scratch.
			before.Args, after.Args, before.Flags, after.Flags = "", "", nil, nil
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%q became %q (-before +after):\n%s", data, lowered, diff)
		}
	}
}

// instruction is an instruction as BuildKit parses it.
type instruction struct {
	Keyword     string
	First, Last int
	Comments    []string
	Flags       []string
	Args        string
	Attributes  map[string]bool
	Heredocs    []parser.Heredoc
}

func read(node *parser.Node) instruction {
	in := instruction{
		Keyword: strings.ToLower(node.Value), First: node.StartLine, Last: node.EndLine,
		Comments: node.PrevComment, Attributes: node.Attributes, Heredocs: node.Heredocs,
	}
	for _, flag := range node.Flags {
		name, _, _ := strings.Cut(flag, "=")
		switch {
		case name == "--for" || name == "--if" || name == "--needs":
		case strings.HasPrefix(flag, "--from=") || strings.HasPrefix(flag, "--mount="):
			in.Flags = append(in.Flags, name) // lowering may rewrite the reference
		default:
			in.Flags = append(in.Flags, flag)
		}
	}
	args := *node
	args.Flags = nil
	if in.Keyword == command.From && args.Next != nil {
		base := *args.Next
		base.Value = strings.ToLower(base.Value) // lowering writes stage names in lower case
		args.Next = &base
	}
	in.Args = args.Dump()
	return in
}
