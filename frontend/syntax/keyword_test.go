package syntax

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/command"

	"github.com/stagebuild/stagebuild/frontend/corpus"
)

// TestBuiltinFlags compares the table of BuildKit's flags with BuildKit's source, which
// adds each flag in the function that parses its instruction, parseCopy for example, or
// in one of RUN's.
func TestBuiltinFlags(t *testing.T) {
	want := map[string][]string{}
	for _, source := range corpus.BuildKit(t, "frontend/dockerfile/instructions/*.go") {
		if strings.HasSuffix(source.Path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), source.Path, source.Data, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			keyword := strings.ToLower(strings.TrimPrefix(fn.Name.Name, "parse"))
			if _, ok := command.Commands[keyword]; !ok {
				keyword = command.Run
			}
			want[keyword] = append(want[keyword], flagsAdded(t, fn)...)
		}
	}
	for keyword, flags := range want {
		slices.Sort(flags)
		if diff := cmp.Diff(flags, builtinFlags[keyword]); len(flags) > 0 && diff != "" {
			t.Errorf("flags of %s (-BuildKit +ours):\n%s", keyword, diff)
		}
	}
}

// flagsAdded returns the flags that a function defines: flags.AddString("name", "").
func flagsAdded(t *testing.T, fn *ast.FuncDecl) []string {
	var names []string
	ast.Inspect(fn, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		literal, isLiteral := call.Args[0].(*ast.BasicLit)
		if !ok || !isLiteral || !slices.Contains([]string{"AddString", "AddStrings", "AddBool"}, method.Sel.Name) {
			return true
		}
		name, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
		return true
	})
	return names
}

// TestSuggestions checks which misspelled keywords and flags are reported, and which are
// left to BuildKit.
func TestSuggestions(t *testing.T) {
	for _, tt := range []struct{ keyword, rest, line string }{
		{"endfi", "", endifLine}, {"endiff", "", endifLine}, {"end", "", endifLine}, {"end", "if", endifLine}, {"fi", "", endifLine},
		{"elif", "A", elseIfLine}, {"elsif", "A", elseIfLine}, {"elseif", "A", elseIfLine}, {"elsee", "", elseLine},
		{"iff", "A", ifLine}, {"fi", "A", ifLine},
		{"end", "a=b", ""}, {"unless", "A", ""}, {"case", "A", ""}, {"endwhile", "", ""}, {"", "", ""},
	} {
		t.Run(tt.keyword+" "+tt.rest, func(t *testing.T) {
			if got := suggestLine(tt.keyword, tt.rest); got != tt.line {
				t.Errorf("suggested %q, want %q", got, tt.line)
			}
		})
	}
	for _, tt := range []struct{ keyword, name, flag string }{
		{command.Copy, "iff", ifFlag}, {command.Copy, "IF", ifFlag}, {command.Copy, "four", forFlag}, {command.Copy, "fo", forFlag},
		{command.Run, "form", forFlag}, {command.Copy, "form", ""}, {command.Copy, "from", ""}, {command.Run, "from", ""},
		{command.From, "need", needsFlag}, {command.From, "nedes", needsFlag}, {command.Copy, "need", ""},
		{command.Run, "mounts", ""}, {command.Run, "when", ""}, {command.Run, "", ""},
	} {
		t.Run(tt.keyword+" --"+tt.name, func(t *testing.T) {
			if got := suggestFlag(tt.keyword, tt.name); got != tt.flag {
				t.Errorf("suggested %q, want %q", got, tt.flag)
			}
		})
	}
}
