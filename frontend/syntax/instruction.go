package syntax

import (
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
)

// Instruction is one instruction with its continuation lines and heredocs.
type Instruction struct {
	// Keyword is the instruction's name in lower case.
	Keyword string
	// First and Last are its 1-based lines.
	First, Last int
	// Guard is its own guard, without those of the stage that it stands in.
	Guard guard.Guard
	// References are the stages and images that it names, in order. The base
	// of a FROM is the stage's Base.
	References []*Reference
	// Triggered are the references of an ONBUILD's trigger. The stages that
	// are FROM the stage that it stands in are made from them.
	Triggered []*Reference
	// Declarations are the names that an ARG or ENV gives a value to.
	Declarations []Declaration

	text      text
	head      head
	escape    byte
	guards    []rawFlag // the flags that Guard was read from
	condition *value    // the value of --if, or nil
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

// ConditionSpan returns where bytes [start, end) of the --if condition stand.
func (in *Instruction) ConditionSpan(start, end int) source.Span {
	if in.condition == nil {
		return source.Span{}
	}
	return valueSpan(in.text, *in.condition, start, end)
}

// GuardFlags returns the spans of the guard flags, one for each physical line
// that holds part of one.
func (in *Instruction) GuardFlags() []source.Span {
	var spans []source.Span
	for _, f := range in.guards {
		spans = append(spans, in.text.spans(f.start, f.end)...)
	}
	return spans
}

// EndsWithGuard reports whether nothing follows the last guard flag.
func (in *Instruction) EndsWithGuard() bool {
	if len(in.guards) == 0 {
		return false
	}
	last := in.guards[len(in.guards)-1]
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
		return source.Span{}
	}
	start, end = min(start, n), min(max(start, end), n)
	if start == n {
		_, behind := v.written(n - 1)
		at := t.offset(behind-1) + 1
		return source.Span{Start: at, End: at}
	}
	first, _ := v.written(start)
	from := t.offset(first)
	if end <= start {
		return source.Span{Start: from, End: from}
	}
	_, behind := v.written(end - 1)
	return source.Span{Start: from, End: t.offset(behind-1) + 1}
}
