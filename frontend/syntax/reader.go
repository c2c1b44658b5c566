package syntax

import (
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
)

// Names of the diagnostics about a file's structure.
const (
	DuplicateGuard      = "DuplicateGuard"
	EmptyNeed           = "EmptyNeed"
	EmptyGuard          = "EmptyGuard"
	GuardInTrigger      = "GuardInTrigger"
	NeedsOutsideFrom    = "NeedsOutsideFrom"
	UnreachableVariant  = "UnreachableVariant"
	UnterminatedHeredoc = "UnterminatedHeredoc"
	UnterminatedQuote   = "UnterminatedQuote"
)

// The flags of the language.
const (
	forFlag   = "for"
	ifFlag    = "if"
	needsFlag = "needs"
)

// reader builds a File from the instructions that the lexer returns.
type reader struct {
	lexer       lexer
	file        *File
	diagnostics source.List
	conditions  map[string]*guard.Condition // by text: files repeat conditions
	blocks      blocks
	stage       *Stage // the stage that the next instruction belongs to, or nil
	// unclosedQuote and unclosedHeredoc are set once a flag or the file ends in one.
	unclosedQuote, unclosedHeredoc bool
	// stagedOnly report diagnostics that only count in a staged file.
	stagedOnly []func()
}

func (r *reader) read() {
	for {
		raw, ok := r.lexer.next()
		if !ok {
			return
		}
		in := r.instruction(raw)
		in.Index = len(r.file.Instructions)
		r.file.Instructions = append(r.file.Instructions, in)
		if in.IsBlock() {
			r.blockLine(in)
		} else {
			r.enter(in)
		}
		switch {
		case in.Keyword == command.From:
			r.beginStage(in)
		case r.stage != nil:
			r.stage.Body = append(r.stage.Body, in)
		case len(r.file.Stages) == 0:
			r.file.Globals = append(r.file.Globals, in)
		}
	}
}

func (r *reader) beginStage(from *Instruction) {
	s := &Stage{Index: len(r.file.Stages), From: from}
	s.Base, s.Name = baseOf(from)
	s.Platform, _ = from.flag("platform")
	r.file.Stages = append(r.file.Stages, s)
	r.stage = s
	r.file.IsStaged = r.file.IsStaged || s.Base.hasPlatform()
	if s.Name == "" {
		return
	}
	if r.file.groups[s.Name] == nil {
		r.file.groups[s.Name] = &Group{Name: s.Name}
	}
	group := r.file.groups[s.Name]
	group.Stages = append(group.Stages, s)
}

// endStage ends the current stage at the end of a branch: the lines up to the next FROM
// belong to no stage.
func (r *reader) endStage() {
	r.stage = nil
}

func (r *reader) instruction(raw rawInstruction) *Instruction {
	escape := r.lexer.escape
	in := &Instruction{
		First:  raw.first,
		Last:   raw.last,
		text:   raw.text,
		head:   splitHead(raw.text.string, escape),
		escape: escape,
	}
	in.Keyword = in.head.keyword
	in.block = blockLineOf(in)
	in.Declarations = declarationsOf(in)
	in.References = referencesOf(in, in.Keyword, in.head.flags)
	for _, ref := range in.References {
		// Before the first FROM, BuildKit refuses instructions with references.
		uses := len(r.file.Stages) > 0 && (ref.HasVariables() || ref.hasPlatform())
		r.file.IsStaged = r.file.IsStaged || uses
	}
	if !in.IsBlock() {
		r.flags(in)
	}
	if in.Keyword == command.Onbuild {
		r.trigger(in)
	}
	if raw.unterminated != "" {
		r.unclosedHeredoc = true
		r.report(in.Span(), UnterminatedHeredoc, `heredoc "`+raw.unterminated+`" is not terminated`,
			"end it with a line that contains only "+raw.unterminated)
	}
	return in
}

// flags parses the flags of the language.
func (r *reader) flags(in *Instruction) {
	for _, f := range in.head.flags {
		name, v, ok := ownFlag(in.text.string, f, in.escape)
		if !ok {
			r.checkFlag(in, f)
			continue
		}
		r.file.IsStaged = true
		in.own = append(in.own, f)
		span := in.text.span(f.start, f.end)
		switch {
		case in.head.unterminated >= f.start && in.head.unterminated < f.end:
			r.unclosedQuote = true
			at := in.head.unterminated
			r.report(in.text.span(at, at+1), UnterminatedQuote, "the quote in --"+name+" is not closed",
				"close it, or escape it if it is part of the value")
		case strings.TrimSpace(v.string) == "":
			in.Invalid = in.Invalid || name != needsFlag
			r.report(span, EmptyGuard, "--"+name+" has no value", "remove it, or write a value, such as "+flagExamples[name])
		case name == needsFlag:
			r.needs(in, span, v)
		case name == forFlag && in.Guard.For != nil, name == ifFlag && in.Guard.If != nil:
			in.Invalid = true
			r.report(span, DuplicateGuard, "--"+name+" is given twice", combineHint(name))
		case name == forFlag:
			patterns, errs := guard.ParsePlatforms(v.string)
			r.reportGuard(in, v, errs)
			in.Guard.For = patterns
		default:
			condition := v
			in.condition = &condition
			in.Guard.If = r.condition(in, v)
		}
	}
}

// needs parses the value of --needs.
func (r *reader) needs(in *Instruction, span source.Span, v value) {
	if in.Keyword != command.From {
		r.report(span, NeedsOutsideFrom, "--needs is only allowed on FROM, not on "+in.keyword(), "move it to the FROM of the stage")
		return
	}
	pos := 0
	for item := range strings.SplitSeq(v.string, ",") {
		start := pos + len(item) - len(strings.TrimLeft(item, " \t"))
		name := v.slice(start, max(start, start+len(strings.TrimSpace(item))))
		if name.string == "" {
			names := strings.FieldsFunc(v.string, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' })
			r.report(span, EmptyNeed, "--needs has an empty name in its list", "write --needs="+strings.Join(names, ","))
		} else {
			in.References = append(in.References, &Reference{Kind: Needs, Text: name.string, Instruction: in, value: name})
		}
		pos += len(item) + 1
	}
}

// condition parses a condition. It parses equal texts once.
func (r *reader) condition(in *Instruction, v value) *guard.Condition {
	if c, ok := r.conditions[v.string]; ok {
		return c
	}
	c, errs := guard.ParseCondition(v.string)
	r.reportGuard(in, v, errs)
	if len(errs) == 0 {
		r.conditions[v.string] = c
	}
	return c
}

// trigger parses the instruction in an ONBUILD. It reports guards in it: the trigger is
// stored in the image, and other builds run it.
func (r *reader) trigger(in *Instruction) {
	line := in.text.string[:in.head.argEnd]
	head := splitHead(line[in.head.argStart:], in.escape)
	for i, f := range head.flags {
		f.start, f.end = f.start+in.head.argStart, f.end+in.head.argStart
		head.flags[i] = f
		if name, v, ok := ownFlag(line, f, in.escape); ok && name != needsFlag {
			r.file.IsStaged = true
			r.report(in.text.span(f.start, f.end), GuardInTrigger, "--"+name+" is not allowed inside an ONBUILD trigger, because other builds run it",
				"write ONBUILD --"+name+"="+quoted(v.string, in.escape)+" "+strings.ToUpper(head.keyword)+" …")
		}
	}
	in.Triggered = referencesOf(in, head.keyword, head.flags)
}

// ownFlag returns the name and value of a flag, and whether it is one of the language.
func ownFlag(line string, f rawFlag, escape byte) (string, value, bool) {
	name := flagName(line, f, escape)
	if flagExamples[name] == "" {
		return "", value{}, false
	}
	v := unquote(line, f.start, f.end, escape)
	cut := min(len(v.string), len("--")+len(name)+len("="))
	return name, v.slice(cut, len(v.string)), true
}

// flagExamples has an example of each flag of the language.
var flagExamples = map[string]string{
	forFlag:   "--for=linux/arm64",
	ifFlag:    "--if=DEBUG",
	needsFlag: "--needs=test,lint",
}

func combineHint(name string) string {
	if name == forFlag {
		return "list the patterns in one flag, separated by commas"
	}
	return "combine the conditions in one flag with && or ||"
}

// quoted returns a flag's value, in quotes if it has to be, with the file's escape
// character where BuildKit removes it (instructions/parse.go, split_command.go).
func quoted(s string, escape byte) string {
	if !strings.ContainsAny(s, " \t\"'"+string(rune(escape))) {
		return s
	}
	e := string(rune(escape))
	return "'" + strings.NewReplacer(e, e+e, "'", e+"'").Replace(s) + "'"
}

// checkGroups reports variants that can never be selected, since one above them has no
// guard.
func (r *reader) checkGroups() {
	if r.file.HasBlockErrors {
		return
	}
	for _, s := range r.file.Stages {
		if s.Name == "" {
			continue
		}
		group := r.file.groups[s.Name]
		last := group.Stages[len(group.Stages)-1]
		if s != last && !s.IsGuarded() && group.IsGuarded() {
			s.From.Invalid = true
			r.report(s.From.Span(), UnreachableVariant,
				`stage "`+s.Name+`" has no guard here, so its variant on line `+strconv.Itoa(last.From.Span().Pos().Line)+" is never selected",
				"move this variant below that one, or guard it with --for or --if")
		}
	}
}

// reportGuard reports the errors of a guard, or of the condition of an IF.
func (r *reader) reportGuard(in *Instruction, v value, errs []*guard.Error) {
	in.Invalid = in.Invalid || len(errs) > 0
	for _, err := range errs {
		hint := err.Hint
		if in.condition != nil {
			hint = r.file.GuardHint(in, err)
		}
		if hint == "" && err.Start < len(v.string) {
			hint = escapeHint(in, v.string[err.Start:err.End])
		}
		r.report(valueSpan(in.text, v, err.Start, err.End), err.Name, err.Message, hint)
	}
}

// escapeHint returns the hint for an escape character outside the strings of a
// condition, or for an escape sequence in them that HCL does not have, such as \d. In a
// flag, the file's escape character has to be doubled.
func escapeHint(in *Instruction, text string) string {
	switch {
	case text == string(rune(in.escape)):
		return "put a string in double quotes"
	case text == "`" || text == `\`:
		return "put a string in double quotes; the escape character of this file is " + string(rune(in.escape))
	case !strings.HasPrefix(text, `\`) || strings.HasPrefix(strings.ToLower(text), `\u`):
		return ""
	}
	written := `\` + text
	if !in.IsBlock() && in.escape == '\\' {
		written = strings.ReplaceAll(written, `\`, `\\`)
	}
	hint := "write " + written + ", or in a regular expression a class such as [0-9]"
	if in.IsBlock() {
		return hint
	}
	return hint + "; a flag removes half of the backslashes"
}

func (r *reader) report(span source.Span, name, message, hint string) {
	r.diagnostics = append(r.diagnostics, &source.Diagnostic{
		Name: name, Span: span, Message: message, Hint: hint,
	})
}
