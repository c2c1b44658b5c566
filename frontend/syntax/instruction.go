package syntax

import (
	"bytes"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
)

// Instruction is one instruction with its continuation lines and heredocs.
type Instruction struct {
	// Index counts the file's instructions, from 0.
	Index int
	// Keyword is the instruction's name in lower case.
	Keyword string
	// First and Last are its 1-based lines.
	First, Last int
	// Guard is its own guard, without those of the stage and the blocks that it
	// stands in. For an IF or ELSE IF it holds the condition.
	Guard guard.Guard
	// Invalid is set if the guard, or the condition of an IF, has a diagnostic.
	// The instruction is undecided.
	Invalid bool
	// Branch is the innermost branch of a block that it stands in, or nil.
	Branch *Branch
	// Opens is the branch that an IF or ELSE begins, and nil for all others.
	Opens *Branch
	// References are the stages and images that it names, in order: what a COPY
	// or RUN takes files from, what a FROM needs. The base of a FROM is the
	// stage's Base.
	References []*Reference
	// Triggered are the references of an ONBUILD's trigger. The stages that
	// are FROM the stage that it stands in are made from them.
	Triggered []*Reference
	// Declarations are the names that an ARG or ENV gives a value to.
	Declarations []Declaration

	text      text
	head      head
	escape    byte
	own       []rawFlag // the flags of the language: guards and --needs
	condition *value    // the value of --if, or the condition of an IF, or nil
	block     *blockLine
}

// IsBlock reports whether the instruction is a line of a block: IF, ELSE or ENDIF,
// or what is taken for one.
func (in *Instruction) IsBlock() bool {
	return in.block != nil
}

// keyword returns the keyword for messages, in upper case.
func (in *Instruction) keyword() string {
	return strings.ToUpper(in.Keyword)
}

// Args returns the arguments as one logical line, without flags.
func (in *Instruction) Args() string {
	return in.head.args(in.text.string)
}

// Span returns the bytes of the file from the keyword to the end of the
// arguments, heredocs excluded.
func (in *Instruction) Span() source.Span {
	return in.text.span(0, len(in.text.string))
}

// ConditionSpan returns where bytes [start, end) of its condition stand: that of
// --if, or of an IF.
func (in *Instruction) ConditionSpan(start, end int) source.Span {
	if in.condition == nil {
		return in.text.file.Span(0, 0)
	}
	return valueSpan(in.text, *in.condition, start, end)
}

// GuardHint returns what to write instead of what an error of an instruction's guard is
// about. A flag's quotes are taken away before its condition is read, so that what was
// meant for a string is a name there, or a number.
func (f *File) GuardHint(in *Instruction, err *guard.Error) string {
	data := f.Source.Data
	span := in.ConditionSpan(err.Start, err.End)
	var lost bool
	switch {
	case err.Name == guard.UnknownName && err.Start > 0 && span.Start > 0 && span.End < len(data):
		quote := data[span.Start-1]
		lost = quote == data[span.End] && (quote == '"' || quote == '\'')
	case err.Name == guard.NeverEqual:
		lost = bytes.Count(data[span.Start:span.End], []byte{'"'}) > strings.Count(in.condition.string[err.Start:err.End], `"`)
	}
	if lost {
		return `quotes inside a flag are taken away; put single quotes around the whole condition: --if='NAME == "value"'`
	}
	return err.Hint
}

// OwnFlags returns the spans of the flags that BuildKit does not know, guards and
// --needs: one for each physical line that holds part of one.
func (in *Instruction) OwnFlags() []source.Span {
	var spans []source.Span
	for _, f := range in.own {
		spans = append(spans, in.text.spans(f.start, f.end)...)
	}
	return spans
}

// flag returns the value of a flag, and where it stands, or "" and nothing.
func (in *Instruction) flag(name string) (string, []source.Span) {
	for _, f := range in.head.flags {
		v := unquote(in.text.string, f.start, f.end, in.escape)
		if value, ok := strings.CutPrefix(v.string, "--"+name+"="); ok {
			return value, in.text.spans(f.start, f.end)
		}
	}
	return "", nil
}

// PlatformFlag returns the spans of a FROM's --platform, one for each physical line.
// Where there is none, it is the empty one behind the keyword.
func (in *Instruction) PlatformFlag() []source.Span {
	if _, spans := in.flag("platform"); spans != nil {
		return spans
	}
	end := in.text.offset(in.head.word.end-1) + 1
	return []source.Span{in.text.file.Span(end, end)}
}

// HasTrailingFlag reports whether the instruction ends with a flag of the language.
func (in *Instruction) HasTrailingFlag() bool {
	if len(in.own) == 0 {
		return false
	}
	last := in.own[len(in.own)-1]
	return strings.TrimSpace(in.text.string[last.end:]) == ""
}

// Declaration is one name that an ARG or ENV gives a value to.
type Declaration struct {
	Name string
	// Value is the text after the equals sign, quotes and references included.
	Value string
	// HasValue is false for an ARG without a default.
	HasValue bool
}

// declarationsOf reads what an ARG or ENV declares (parseNameOrNameVal and
// parseNameVal in BuildKit's line_parsers.go).
func declarationsOf(in *Instruction) []Declaration {
	if in.Keyword != command.Arg && in.Keyword != command.Env {
		return nil
	}
	args := in.Args()
	words := splitWords(args, in.escape)
	if in.Keyword == command.Env && len(words) > 0 && !strings.Contains(words[0], "=") {
		name := args[:max(0, strings.IndexAny(args, "\t\v\f\r "))]
		return []Declaration{{Name: name, Value: strings.TrimSpace(args[len(name):]), HasValue: true}}
	}
	decls := make([]Declaration, len(words))
	for i, word := range words {
		decls[i].Name, decls[i].Value, decls[i].HasValue = strings.Cut(word, "=")
	}
	return decls
}

// valueSpan returns the file span of bytes [start, end) of a flag's value. An
// empty range at the end of the value gives the place right behind it.
func valueSpan(t text, v value, start, end int) source.Span {
	n := len(v.string)
	if n == 0 {
		return t.file.Span(0, 0)
	}
	start, end = min(start, n), min(max(start, end), n)
	if start == n {
		_, behind := v.written(n - 1)
		at := t.offset(behind-1) + 1
		return t.file.Span(at, at)
	}
	first, _ := v.written(start)
	from := t.offset(first)
	if end <= start {
		return t.file.Span(from, from)
	}
	_, behind := v.written(end - 1)
	return t.file.Span(from, t.offset(behind-1)+1)
}
