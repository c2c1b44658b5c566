package syntax

import (
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/stagebuild/stagebuild/frontend/source"
)

// Names of the diagnostics about what is misspelt. BuildKit refuses it too, but
// cannot know what of this language was meant.
const (
	UnknownFlag        = "UnknownFlag"
	UnknownInstruction = "UnknownInstruction"
)

// blockLine is a line of a block.
type blockLine struct {
	line string // one of the constants below
	// rest is what stands behind it: a condition, or nothing.
	rest value
	// meant is the keyword that should stand there, when another one does.
	meant string
	// glued is set when IF and its condition are one word: IF(A).
	glued bool
}

// openers are what a condition can begin with that ends no keyword for BuildKit.
const openers = `(!"`

// The lines of a block.
const (
	ifLine     = "if"
	elseIfLine = "else if"
	elseLine   = "else"
	endifLine  = "endif"
)

// blockLineOf returns the line of a block that an instruction is or, misspelt, is
// taken for. It is nil for other instructions, those that BuildKit has included.
func blockLineOf(in *Instruction) *blockLine {
	if _, ok := command.Commands[in.Keyword]; ok {
		return nil
	}
	keyword, rest := in.Keyword, in.rest(in.head.word.end)
	written := in.text.string[in.head.word.start:in.head.word.end]
	glued := strings.IndexAny(written, openers)
	if glued >= 0 {
		keyword, rest = strings.ToLower(written[:glued]), in.rest(in.head.word.start+glued)
	}
	line := meantLine(keyword, rest.string)
	if line == "" || glued >= 0 && line != ifLine && line != elseIfLine {
		return nil
	}
	b := &blockLine{line: line, rest: rest, glued: glued >= 0}
	if line != keyword {
		b.meant = strings.ToUpper(line)
	}
	word, behind := cutWord(rest)
	switch {
	case !strings.EqualFold(word, ifLine):
	case line == elseLine:
		b.line, b.rest = elseIfLine, behind
		b.glued = len(word)+len(behind.string) == len(rest.string) && behind.string != ""
	case b.meant != "" && line == endifLine: // END IF
		b.rest = behind
	}
	return b
}

// meantLine returns the line of a block that a keyword means: with a typo, or as
// other languages write it. END with more behind it is rather an ENV.
func meantLine(keyword, rest string) string {
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

// cutWord cuts a value behind its first word, which a condition can follow, and the
// white space behind that.
func cutWord(v value) (word string, behind value) {
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

// flagsIgnored are the instructions whose flags BuildKit does not look at, always
// or sometimes (parseArg, parseStopSignal and, for NONE, parseHealthcheck): an
// unknown one is no error in a file that does not use the language.
var flagsIgnored = map[string]bool{command.Arg: true, command.StopSignal: true, command.Healthcheck: true}

// checkFlag reports a flag that nobody knows and that is almost one of the language.
func (r *reader) checkFlag(in *Instruction, f rawFlag) {
	if _, ok := command.Commands[in.Keyword]; !ok {
		return // BuildKit refuses the instruction.
	}
	name := flagName(in.text.string, f, in.escape)
	meant := meantFlag(in.Keyword, name)
	if meant == "" {
		return
	}
	report := func() {
		in.Invalid = in.Invalid || meant != needsFlag
		r.report(in.text.span(f.start, f.end), UnknownFlag, "unknown flag --"+name, `did you mean "--`+meant+`"?`)
	}
	if flagsIgnored[in.Keyword] {
		r.ifUsed = append(r.ifUsed, report)
		return
	}
	r.file.IsStaged = true
	report()
}

// meantFlag returns the flag of the language that a name is a typo away from, or
// "". A flag of BuildKit's, and what is as close to one, is BuildKit's to judge.
func meantFlag(keyword, name string) string {
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
