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
	// Index is the instruction's position in File.Instructions.
	Index int
	// Keyword is the instruction's name in lower case.
	Keyword string
	// First and Last are its 1-based lines.
	First, Last int
	// Guard is the instruction's own guard, without those of its stage and of the
	// blocks around it. For an IF or ELSE IF, Guard.If is the condition.
	Guard guard.Guard
	// Invalid is set if the guard, or the condition of an IF, has a diagnostic.
	// The instruction is undecided.
	Invalid bool
	// Branch is the innermost branch that the instruction is in, or nil.
	Branch *Branch
	// Opens is the branch that an IF or ELSE begins, and nil for all others.
	Opens *Branch
	// References are the instruction's references in order: those of COPY --from,
	// RUN --mount=from and FROM --needs. The base of a FROM is Stage.Base.
	References []*Reference
	// Triggered are the references of the trigger in an ONBUILD. They count for the
	// stages that are FROM the instruction's stage.
	Triggered []*Reference
	// Declarations are the names that an ARG declares or an ENV sets.
	Declarations []Declaration

	text      text
	head      head
	escape    byte
	own       []rawFlag // the flags of the language: guards and --needs
	condition *value    // the value of --if, or the condition of an IF, or nil
	block     *blockLine
}

// IsBlock reports whether the instruction is a line of a block: IF, ELSE or ENDIF, or a
// misspelled one.
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

// Span returns the span from the keyword to the end of the arguments, without heredocs.
func (in *Instruction) Span() source.Span {
	return in.text.span(0, len(in.text.string))
}

// ConditionSpan returns the span of the bytes [start, end) of the instruction's
// condition, in --if or after IF.
func (in *Instruction) ConditionSpan(start, end int) source.Span {
	if in.condition == nil {
		return in.text.file.Span(0, 0)
	}
	return valueSpan(in.text, *in.condition, start, end)
}

// GuardHint returns the hint for an error of an instruction's condition, with the fix in
// the form in which the line or flag has to have it. If the error is due to quotes that
// were removed with the flag's own, which turns strings into names or numbers, the hint
// says so.
func (f *File) GuardHint(in *Instruction, err *guard.Error) string {
	data := f.Source.Data
	span := in.ConditionSpan(err.Start, err.End)
	var quotesRemoved bool
	switch {
	case err.Name == guard.UnknownName && err.Start > 0 && span.Start > 0 && span.End < len(data):
		quote := data[span.Start-1]
		quotesRemoved = quote == data[span.End] && (quote == '"' || quote == '\'')
	case err.Name == guard.NeverEqual:
		quotesRemoved = bytes.Count(data[span.Start:span.End], []byte{'"'}) > strings.Count(in.condition.string[err.Start:err.End], `"`)
	}
	switch {
	case quotesRemoved && err.Fix != "":
		return "quotes inside a flag are removed; write " + in.withCondition(err.Fix)
	case quotesRemoved:
		return `quotes inside a flag are removed; put single quotes around the whole condition: --if='NAME == "value"'`
	}
	return err.Advice(in.withCondition(err.Fix))
}

// withCondition returns the flag or the line for a condition.
func (in *Instruction) withCondition(condition string) string {
	if in.IsBlock() {
		return strings.ToUpper(in.block.line) + " " + condition
	}
	return "--" + ifFlag + "=" + quoted(condition, in.escape)
}

// OwnFlags returns the spans of the flags of the language: guards and --needs. A flag
// has a span for each physical line that it is on.
func (in *Instruction) OwnFlags() []source.Span {
	var spans []source.Span
	for _, f := range in.own {
		spans = append(spans, in.text.spans(f.start, f.end)...)
	}
	return spans
}

// flag returns the value and the spans of a flag, or "" and nil.
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
// Without the flag, it returns the empty span after the keyword.
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

// Declaration is a name that an ARG declares or an ENV sets.
type Declaration struct {
	Name string
	// Value is the text after the equals sign, with its quotes and variables.
	Value string
	// HasValue is false for an ARG without a default.
	HasValue bool
}

// declarationsOf returns the declarations of an ARG or ENV (parseNameOrNameVal and
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

// valueSpan returns the span of the bytes [start, end) of a flag's value. For an empty
// range at the end of the value it returns the empty span after the value.
func valueSpan(t text, v value, start, end int) source.Span {
	n := len(v.string)
	if n == 0 {
		return t.file.Span(0, 0)
	}
	start, end = min(start, n), min(max(start, end), n)
	if start == n {
		_, after := v.written(n - 1)
		at := t.offset(after-1) + 1
		return t.file.Span(at, at)
	}
	first, _ := v.written(start)
	from := t.offset(first)
	if end <= start {
		return t.file.Span(from, from)
	}
	_, after := v.written(end - 1)
	return t.file.Span(from, t.offset(after-1)+1)
}
