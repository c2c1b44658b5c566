package integration

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/integration/harness"
)

// block is a code block of a Markdown document.
type block struct {
	line       int    // 1-based line of the opening fence
	lang, text string // text has no fences
	// directives are the HTML comments right above the block, without their
	// marks: what the tests are to do with it.
	directives []directive
}

// directive is "name: argument" in an HTML comment.
type directive struct{ name, argument string }

// argument returns the argument of the block's directive of a name.
func (b block) argument(name string) (string, bool) {
	for _, d := range b.directives {
		if d.name == name {
			return d.argument, true
		}
	}
	return "", false
}

// readDocument returns the code blocks of a document of the repository, and its
// lines.
func readDocument(t *testing.T, name string) ([]block, []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	var above []directive
	lines := strings.Split(string(data), "\n")
	for i := 0; i < len(lines); i++ {
		if comment, ok := strings.CutPrefix(lines[i], "<!-- "); ok {
			name, argument, _ := strings.Cut(strings.TrimSuffix(comment, " -->"), ": ")
			above = append(above, directive{name, argument})
			continue
		}
		if lang, ok := strings.CutPrefix(lines[i], "```"); ok {
			b := block{line: i + 1, lang: lang, directives: above}
			for i++; i < len(lines) && lines[i] != "```"; i++ {
				b.text += lines[i] + "\n"
			}
			blocks = append(blocks, b)
		}
		above = nil
	}
	return blocks, lines
}

// exampleOf reads the argument of a build, render or errors directive:
// platforms, then build args in capitals, and files of the context as file=NAME,
// each of which holds its name.
func exampleOf(argument string) (platform string, args, files []string) {
	fields := strings.Fields(argument)
	for _, field := range fields[1:] {
		if name, ok := strings.CutPrefix(field, "file="); ok {
			files = append(files, name)
		} else {
			args = append(args, "--build-arg="+field)
		}
	}
	return fields[0], args, files
}

// exampleContext writes the context of an example.
func exampleContext(t *testing.T, dockerfile string, files []string) string {
	t.Helper()
	context := map[string]string{"Dockerfile": dockerfile}
	for _, name := range files {
		context[name] = name
	}
	return writeContext(t, context)
}

// TestReferenceExamples builds every complete Dockerfile of the reference as the
// comments above it say, and compares what is said to come out of lowering.
func TestReferenceExamples(t *testing.T) {
	env, _ := productEnv(t)
	env.NeedMirror(t)
	blocks, _ := readDocument(t, "docs/reference.md")
	var last block // the last complete Dockerfile
	built := 0
	for _, b := range blocks {
		if argument, ok := b.argument("render"); ok {
			checkRender(t, env, b, argument, last.text)
			continue
		}
		if argument, ok := b.argument("warning"); ok {
			checkWarning(t, env, b, argument, last.text)
			continue
		}
		if b.lang != "dockerfile" || !strings.HasPrefix(b.text, "# syntax=") {
			continue
		}
		last = b
		for _, d := range b.directives {
			if d.name != "build" {
				continue
			}
			built++
			if _, err := buildExample(t, env, d.argument, b.text); err != nil {
				t.Errorf("reference.md:%d, %s: %v", b.line, d.argument, err)
			}
		}
		if _, ok := b.argument("errors"); !ok && len(b.directives) == 0 {
			t.Errorf("reference.md:%d: no comment above the Dockerfile says how it is built", b.line)
		}
	}
	if built == 0 {
		t.Error("the reference has no example to build")
	}
}

// buildExample builds a Dockerfile as the argument of a directive says.
func buildExample(t *testing.T, env *harness.Env, argument, dockerfile string) (harness.Output, error) {
	t.Helper()
	platform, args, files := exampleOf(argument)
	args = append([]string{"build", "--progress=plain", "--output=type=cacheonly", "--platform=" + platform}, args...)
	return env.Run(t.Context(), "docker-stagebuild", append(args, exampleContext(t, dockerfile, files))...)
}

// checkRender compares a block with what render prints of a Dockerfile.
func checkRender(t *testing.T, env *harness.Env, b block, argument, dockerfile string) {
	t.Helper()
	platform, args, _ := exampleOf(argument)
	args = append([]string{"render", "--platform=" + platform}, args...)
	out, err := env.Run(t.Context(), "docker-stagebuild", append(args, exampleContext(t, dockerfile, nil))...)
	if err != nil {
		t.Fatalf("reference.md:%d: %v", b.line, err)
	}
	if diff := cmp.Diff(b.text, out.Stdout); diff != "" {
		t.Errorf("reference.md:%d: render prints (-document +got):\n%s", b.line, diff)
	}
}

// checkWarning builds a Dockerfile, which warns of what a block says.
func checkWarning(t *testing.T, env *harness.Env, b block, argument, dockerfile string) {
	t.Helper()
	out, err := buildExample(t, env, argument, dockerfile)
	if err != nil {
		t.Fatalf("reference.md:%d: %v", b.line, err)
	}
	if want := "\n - " + strings.TrimSpace(b.text) + "\n"; !strings.Contains(out.Stderr, want) {
		t.Errorf("reference.md:%d: the build does not warn so:\n%s", b.line, out.Stderr)
	}
}

// errorRow is a row of the reference's table of errors.
type errorRow struct {
	line             int
	name             string
	written, message string
}

// rowPattern matches a row of three cells, the last two of them code.
var rowPattern = regexp.MustCompile("^\\| (\\w+) \\| (`.*`(?: × \\d+)?) \\| (`.*`) \\|$")

// errorRows returns the rows of the table of errors.
func errorRows(t *testing.T, lines []string) []errorRow {
	t.Helper()
	start := slices.Index(lines, "| name | written | error |")
	if start < 0 {
		t.Fatal("reference.md has no table of errors")
	}
	var rows []errorRow
	for i := start + 2; strings.HasPrefix(lines[i], "|"); i++ {
		m := rowPattern.FindStringSubmatch(lines[i])
		if m == nil {
			t.Fatalf("reference.md:%d: not a row of the table of errors", i+1)
		}
		rows = append(rows, errorRow{line: i + 1, name: m[1], written: codeLines(m[2]), message: codeLines(m[3])})
	}
	return rows
}

// repeated matches a code span that stands for several lines.
var repeated = regexp.MustCompile("^(`.*`) × (\\d+)$")

// codeLines returns the text of a cell that has one code span a line.
func codeLines(cell string) string {
	var lines []string
	for span := range strings.SplitSeq(cell, "<br>") {
		times := 1
		if m := repeated.FindStringSubmatch(span); m != nil {
			span = m[1]
			times, _ = strconv.Atoi(m[2])
		}
		line := strings.ReplaceAll(strings.Trim(span, "`"), `\|`, "|")
		lines = append(lines, slices.Repeat([]string{line}, times)...)
	}
	return strings.Join(lines, "\n")
}

// file returns the file of a row: its lines below a beginning, or a declaration
// of platforms below the beginning's first line.
func (row errorRow) file(beginning string) string {
	if strings.HasPrefix(row.written, "# platforms=") {
		first, rest, _ := strings.Cut(beginning, "\n")
		return first + "\n" + row.written + "\n" + rest
	}
	return beginning + row.written + "\n"
}

// place matches how a diagnostic begins: file, line and column.
var place = regexp.MustCompile(`^Dockerfile:\d+:\d+: `)

// TestReferenceErrors builds the file of each row of the table of errors: the
// message is the row's, and has its name.
func TestReferenceErrors(t *testing.T) {
	env, _ := productEnv(t)
	blocks, lines := readDocument(t, "docs/reference.md")
	i := slices.IndexFunc(blocks, func(b block) bool { _, ok := b.argument("errors"); return ok })
	if i < 0 {
		t.Fatal("reference.md does not say how the files of the table begin")
	}
	argument, _ := blocks[i].argument("errors")
	platform, args, files := exampleOf(argument)
	for _, row := range errorRows(t, lines) {
		dockerfile := row.file(blocks[i].text)
		dir := exampleContext(t, dockerfile, files)
		command := append([]string{"build", "--progress=plain", "--output=type=cacheonly", "--platform=" + platform}, args...)
		out, err := env.Run(t.Context(), "docker-stagebuild", append(command, dir)...)
		if err == nil {
			t.Errorf("reference.md:%d: the file was built", row.line)
			continue
		}
		message, _ := complaint(out)
		if diff := cmp.Diff(row.message, place.ReplaceAllString(message, "")); diff != "" {
			t.Errorf("reference.md:%d: the error is (-document +got):\n%s", row.line, diff)
		}
		if got := diagnosticName(t, dockerfile, platform); got != row.name {
			t.Errorf("reference.md:%d: the diagnostic's name is %q, the document says %q", row.line, got, row.name)
		}
	}
}

// TestReferenceListsEveryError compares the table with the names in the code.
func TestReferenceListsEveryError(t *testing.T) {
	_, lines := readDocument(t, "docs/reference.md")
	var got []string
	for _, row := range errorRows(t, lines) {
		got = append(got, row.name)
	}
	slices.Sort(got)
	want := slices.Concat(diagnosticNames(t, "guard"), diagnosticNames(t, "syntax"), diagnosticNames(t, "plan"))
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the table of errors (-code +document):\n%s", diff)
	}
}

// diagnosticNames returns the diagnostics' names of a language package: the
// values of the constants in groups whose comment begins "Names of the
// diagnostics".
func diagnosticNames(t *testing.T, pkg string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "frontend", pkg, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST || !strings.HasPrefix(group.Doc.Text(), "Names of the diagnostics") {
				continue
			}
			for _, spec := range group.Specs {
				for _, value := range spec.(*ast.ValueSpec).Values {
					name, err := strconv.Unquote(value.(*ast.BasicLit).Value)
					if err != nil {
						t.Fatal(err)
					}
					names = append(names, name)
				}
			}
		}
	}
	if len(names) == 0 {
		t.Errorf("frontend/%s has no constants under the comment \"Names of the diagnostics\"", pkg)
	}
	return names
}

// diagnosticName returns the name of the one thing that is wrong with a file.
func diagnosticName(t *testing.T, dockerfile, platform string) string {
	t.Helper()
	file, err := syntax.Parse(source.NewFile("Dockerfile", []byte(dockerfile)))
	if err == nil {
		target := platforms.MustParse(platform)
		_, err = plan.Resolve(file, plan.Env{Target: target, Build: target})
	}
	found := source.Diagnostics(err)
	if len(found) != 1 {
		t.Fatalf("%d diagnostics: %v", len(found), err)
	}
	return found[0].Name
}

// TestReferenceListsEveryFunction compares the table of functions with what the
// error about an unknown one lists.
func TestReferenceListsEveryFunction(t *testing.T) {
	_, lines := readDocument(t, "docs/reference.md")
	start := slices.Index(lines, "| function | result |")
	if start < 0 {
		t.Fatal("reference.md has no table of functions")
	}
	signature := regexp.MustCompile("`([a-z]+)\\(")
	var got []string
	for _, row := range lines[start+2:] {
		if !strings.HasPrefix(row, "|") {
			break
		}
		for _, m := range signature.FindAllStringSubmatch(strings.Split(row, " | ")[0], -1) {
			got = append(got, m[1])
		}
	}
	slices.Sort(got)

	_, err := syntax.Parse(source.NewFile("Dockerfile", []byte("FROM --if='nothinglikeit()' scratch\n")))
	_, list, ok := strings.Cut(fmt.Sprint(err), "the functions are ")
	if !ok {
		t.Fatalf("the error lists no functions: %v", err)
	}
	if diff := cmp.Diff(strings.Split(list, ", "), got); diff != "" {
		t.Errorf("the table of functions (-code +document):\n%s", diff)
	}
}
