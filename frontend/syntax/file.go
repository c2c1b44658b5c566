package syntax

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
)

// File is a parsed Dockerfile. It is immutable and safe for concurrent use.
type File struct {
	Source *source.File
	// Escape is the file's escape character, a backslash or a backtick.
	Escape rune
	// IsStaged reports whether the file is a staged Dockerfile, which uses the language.
	// A plain one reaches BuildKit unchanged.
	IsStaged bool
	// Platforms are the declared platforms, or nil without a "# platforms=" comment.
	Platforms []guard.Platform
	// PlatformsSpan is the line of the "# platforms=" comment.
	PlatformsSpan source.Span
	// Instructions are all instructions in file order, including the lines of blocks.
	Instructions []*Instruction
	// Globals are the instructions before the first FROM, including the lines of the
	// blocks around them.
	Globals []*Instruction
	// Blocks are all blocks, in the order of their IFs.
	Blocks []*Block
	// Stages are the stages in file order, including every variant.
	Stages []*Stage
	// Diagnostics are the errors in the language's own parts of the file that do not
	// depend on a platform, in file order.
	Diagnostics source.List
	// Warnings are diagnostics that do not fail a build.
	Warnings source.List
	// HasUnterminatedText is set if a quote or a heredoc has no end. It may extend over
	// other instructions, so nothing about the file can be decided.
	HasUnterminatedText bool
	// HasBlockErrors is set if a line of a block is missing or misplaced. Which
	// stage or branch an instruction belongs to is then uncertain.
	HasBlockErrors bool

	groups map[string]*Group
}

// Stage is a FROM and the instructions below it.
type Stage struct {
	// Index is the stage's position in File.Stages.
	Index int
	// Name is the stage's name in lower case, or "".
	Name string
	From *Instruction
	// Base is the reference to the base. Its Text is as written, unexpanded.
	Base *Reference
	// Platform is the value of --platform, unexpanded, or "".
	Platform string
	// Body are the instructions below the FROM, including the lines of blocks.
	Body []*Instruction
}

// IsGuarded reports whether the stage has a guard or is in a block.
func (s *Stage) IsGuarded() bool {
	return !s.Guard().IsZero() || s.From.Invalid || s.From.Branch != nil
}

// References returns the stage's references: its base, its needed stages, and those of
// the instructions in its body.
func (s *Stage) References() []*Reference {
	refs := append([]*Reference{s.Base}, s.From.References...)
	for _, in := range s.Body {
		refs = append(refs, in.References...)
	}
	return refs
}

// Guard returns the stage's own guard.
func (s *Stage) Guard() guard.Guard {
	return s.From.Guard
}

// Group is the stages of one name, in file order.
type Group struct {
	Name   string
	Stages []*Stage
}

// IsGuarded reports whether any stage of the group has a guard, which makes its
// stages variants. Without guards a reference means the last stage above it, as in
// BuildKit.
func (g *Group) IsGuarded() bool {
	for _, s := range g.Stages {
		if s.IsGuarded() {
			return true
		}
	}
	return false
}

// Group returns the stages of a name, ignoring case, or nil if there are none.
func (f *File) Group(name string) *Group {
	return f.groups[strings.ToLower(name)]
}

// NoStageError returns the error for a name that no stage has. It suggests the
// closest stage name.
func (f *File) NoStageError(name string) error {
	if near := source.DidYouMean(name, f.StageNames()); near != "" {
		return fmt.Errorf("no stage is named %q; %s", name, near)
	}
	return fmt.Errorf("no stage is named %q", name)
}

// StageNames returns the distinct names of the stages in file order.
func (f *File) StageNames() []string {
	var names []string
	for _, s := range f.Stages {
		if s.Name != "" && f.groups[s.Name].Stages[0] == s {
			names = append(names, s.Name)
		}
	}
	return names
}

// Comments returns the lines of the comments that belong to an instruction, without
// "#": those above it up to an instruction or an empty comment (comments in BuildKit's
// parser.go).
func (f *File) Comments(in *Instruction) []string {
	var lines []string
	for line := in.First - 1; line > 0; line-- {
		text := strings.TrimSpace(f.Source.LineSpan(line).Text())
		comment, ok := strings.CutPrefix(text, "#")
		if text != "" && !ok || ok && comment == "" {
			break
		}
		if ok {
			lines = append(lines, strings.TrimSpace(comment))
		}
	}
	slices.Reverse(lines)
	return lines
}

// directiveComment matches a directive: BuildKit's
// (frontend/dockerfile/parser/directives.go) and "# platforms=".
var directiveComment = regexp.MustCompile(`^(syntax|escape|check|platforms)\s*=`)

// banner matches the characters with which people frame a comment, as in "### Tools ###"
// and "--- Tools ---".
var banner = regexp.MustCompile(`^(#+|[=*~_-]{3,})\s*|\s*(#{2,}|[=*~_-]{3,})$`)

// Summary returns the first sentence of the comment right above an instruction, without
// a frame, or "". If it begins with name, that word is left out, as in BuildKit
// (getDocComment in instructions/parse.go).
func (f *File) Summary(in *Instruction, name string) string {
	var lines []string
	for line := in.First - 1; line > 0; line-- {
		text, ok := strings.CutPrefix(strings.TrimSpace(f.Source.LineSpan(line).Text()), "#")
		if text = strings.TrimSpace(text); !ok || text == "" {
			break
		}
		if text = banner.ReplaceAllString(text, ""); text != "" && !directiveComment.MatchString(text) {
			lines = append(lines, text)
		}
	}
	slices.Reverse(lines)
	text, _, _ := strings.Cut(strings.Join(lines, " "), ". ")
	return strings.TrimSuffix(strings.TrimPrefix(text, name+" "), ".")
}

// InstructionAt returns the instruction on whose lines a span begins, or nil if the
// span is of another file or begins between instructions.
func (f *File) InstructionAt(span source.Span) *Instruction {
	if span.File != f.Source {
		return nil
	}
	line := span.Pos().Line
	for _, in := range f.Instructions {
		if in.First <= line && line <= in.Last {
			return in
		}
	}
	return nil
}

// Parse parses a file. The error has its Diagnostics; errors that a plain Dockerfile
// could have too are left to BuildKit. The file is never nil, and one with errors can be
// resolved to find the others.
func Parse(src *source.File) (*File, error) {
	p := &reader{
		file: &File{Source: src, groups: map[string]*Group{}},
		lexer: lexer{
			file:   src,
			data:   string(src.Data),
			line:   1,
			escape: parser.DefaultEscapeToken,
			// Each instruction or continuation line takes one segment.
			segments: make([]segment, 0, src.Lines()),
		},
		conditions: map[string]*guard.Condition{},
	}
	p.platforms()
	p.read()
	p.file.Escape = rune(p.lexer.escape)
	if !p.file.IsStaged {
		return p.file, nil
	}
	p.file.HasUnterminatedText = p.unclosedQuote || p.unclosedHeredoc
	p.checkBlocks()
	p.checkGroups()
	for _, report := range p.stagedOnly {
		report()
	}
	err := p.diagnostics.Err()
	p.file.Diagnostics = source.Diagnostics(err)
	return p.file, err
}
