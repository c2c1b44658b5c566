package syntax

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"

	"github.com/stagebuild/stagebuild/frontend/source"
)

// Names of the diagnostics about misspelled keywords and flags of the language. BuildKit
// refuses them too, but could not suggest the right spelling.
const (
	UnknownFlag        = "UnknownFlag"
	UnknownInstruction = "UnknownInstruction"
)

// blockLine is a line of a block.
type blockLine struct {
	line string // ifLine, elseIfLine, elseLine or endifLine
	// rest is the text after the keyword: the condition, or nothing.
	rest value
	// suggestion is the right keyword, in upper case, if it is misspelled.
	suggestion string
	// noSpace is set if IF and its condition are one word: IF(A).
	noSpace bool
}

// openers are the characters that can begin a condition without a space before it.
// BuildKit takes them as part of the keyword.
const openers = `(!"`

// The lines of a block.
const (
	ifLine     = "if"
	elseIfLine = "else if"
	elseLine   = "else"
	endifLine  = "endif"
)

// blockLineOf returns the line of a block that an instruction is, even if its keyword is
// misspelled. It returns nil for other instructions.
func blockLineOf(in *Instruction) *blockLine {
	if _, ok := command.Commands[in.Keyword]; ok {
		return nil
	}
	keyword, rest := in.Keyword, in.rest(in.head.word.end)
	written := in.text.string[in.head.word.start:in.head.word.end]
	opener := strings.IndexAny(written, openers)
	if opener >= 0 {
		keyword, rest = strings.ToLower(written[:opener]), in.rest(in.head.word.start+opener)
	}
	line := suggestLine(keyword, rest.string)
	if line == "" || opener >= 0 && line != ifLine && line != elseIfLine {
		return nil
	}
	b := &blockLine{line: line, rest: rest, noSpace: opener >= 0}
	if line != keyword {
		b.suggestion = strings.ToUpper(line)
	}
	word, after := cutWord(rest)
	switch {
	case !strings.EqualFold(word, ifLine):
	case line == elseLine:
		b.line, b.rest = elseIfLine, after
		b.noSpace = len(word)+len(after.string) == len(rest.string) && after.string != ""
	case b.suggestion != "" && line == endifLine: // END IF
		b.rest = after
	}
	return b
}

// suggestLine returns the line of a block that a keyword is probably meant to be, or "": one
// with a typo, or one of another language. END before other text is rather an ENV.
func suggestLine(keyword, rest string) string {
	switch keyword {
	case "elif", "elsif", "elseif":
		return elseIfLine
	case "end":
		if rest == "" || strings.EqualFold(rest, ifLine) {
			return endifLine
		}
		return ""
	case "fi":
		if rest == "" {
			return endifLine
		}
	}
	for _, line := range []string{ifLine, elseLine, endifLine} {
		if source.OneTypo(keyword, line) {
			return line
		}
	}
	return ""
}

// cutWord returns the first word of a value, which ends at a space or an opener, and the
// text after it without leading space.
func cutWord(v value) (word string, after value) {
	end := 0
	for end < len(v.string) && !isSpaceByte(v.string[end]) && strings.IndexByte(openers, v.string[end]) < 0 {
		end++
	}
	start := end
	for start < len(v.string) && isSpaceByte(v.string[start]) {
		start++
	}
	return v.string[:end], v.slice(start, len(v.string))
}

// builtinFlags are the flags that BuildKit has (frontend/dockerfile/instructions).
var builtinFlags = map[string][]string{
	command.Add:         {"checksum", "chmod", "chown", "exclude", "keep-git-dir", "link", "unpack"},
	command.Copy:        {"chmod", "chown", "exclude", "from", "link", "parents"},
	command.From:        {"platform"},
	command.Healthcheck: {"interval", "retries", "start-interval", "start-period", "timeout"},
	command.Run:         {"device", "mount", "network", "security"},
}

// flagsIgnored are the instructions whose flags BuildKit ignores, always or sometimes
// (parseArg, parseStopSignal and, for NONE, parseHealthcheck). An unknown flag there is
// no error in a plain file.
var flagsIgnored = map[string]bool{command.Arg: true, command.StopSignal: true, command.Healthcheck: true}

// checkFlag reports an unknown flag that resembles one of the language.
func (r *reader) checkFlag(in *Instruction, f rawFlag) {
	if _, ok := command.Commands[in.Keyword]; !ok {
		return // BuildKit refuses the instruction.
	}
	name := flagName(in.text.string, f, in.escape)
	suggestion := suggestFlag(in.Keyword, name)
	if suggestion == "" {
		return
	}
	report := func() {
		in.Invalid = in.Invalid || suggestion != needsFlag
		r.report(in.text.span(f.start, f.end), UnknownFlag, "unknown flag --"+name, `did you mean "--`+suggestion+`"?`)
	}
	if flagsIgnored[in.Keyword] {
		r.stagedOnly = append(r.stagedOnly, report)
		return
	}
	r.file.IsStaged = true
	report()
}

// suggestFlag returns the flag of the language that a name is one typo away from, or "".
// It returns "" for BuildKit's own flags and for names that are as close to one of them.
func suggestFlag(keyword, name string) string {
	lower := strings.ToLower(name)
	near := func(flag string) bool { return source.OneTypo(lower, flag) }
	if slices.ContainsFunc(builtinFlags[keyword], near) {
		return ""
	}
	own := []string{forFlag, ifFlag}
	if keyword == command.From {
		own = append(own, needsFlag)
	}
	if i := slices.IndexFunc(own, near); i >= 0 {
		return own[i]
	}
	return ""
}
