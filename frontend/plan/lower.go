package plan

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// emptyImage is the name of the empty base, which BuildKit does not pull.
const emptyImage = "scratch"

// Lower returns the plain Dockerfile of a plan. It has as many lines as the file, and
// every kept instruction begins and ends on its original lines: only the bytes of dropped
// instructions, guard flags and rewritten references change. Lower returns a plain file
// unchanged, even an invalid one, whose errors BuildKit reports.
func Lower(p *Plan) []byte {
	return lower(p, nil)
}

// LowerStage lowers the file but empties every stage except c, the stages that it is built from, and the
// SOURCE_DATE_EPOCH stage. Stage numbers stay the same.
func LowerStage(c *Choice) []byte {
	used := map[*Choice]bool{}
	walk := newWalk(isInConversion)
	for _, start := range append(c.Plan.epochStages(), c) {
		for c := range walk.From(start) {
			used[c] = true
		}
	}
	emptied := map[*Choice]bool{}
	for _, other := range c.Plan.Stages {
		emptied[other] = other.Decision.Holds && !used[other]
	}
	return lower(c.Plan, emptied)
}

// epochArg is the build arg with the creation time of the image, in seconds, or with the
// name of a stage that adds one remote source with that time (BuildKit's
// dockerfile2llb/epoch.go).
const epochArg = "SOURCE_DATE_EPOCH"

// buildContext is the value of epochArg that means the build context, even if a stage has
// this name.
const buildContext = "context"

// epochStages returns the selected stages that epochArg names. BuildKit uses the first of
// them in every conversion, also of stages that do not depend on it.
func (p *Plan) epochStages() []*Choice {
	name, given := p.Env.Args[epochArg]
	if !given {
		global, _ := p.Global(epochArg)
		name = global.Value
	}
	if name == "" || name == buildContext {
		return nil
	}
	var stages []*Choice
	for _, c := range p.Stages {
		if c.Decision.Holds && strings.EqualFold(c.Stage.Name, name) {
			stages = append(stages, c)
		}
	}
	return stages
}

// lower lowers a file. It gives the emptied stages no instructions and the base scratch.
func lower(p *Plan, emptied map[*Choice]bool) []byte {
	if !p.File.IsStaged {
		return bytes.Clone(p.File.Source.Data)
	}
	l := &lowerer{file: p.File.Source, escape: byte(p.File.Escape)}
	dropped := map[*syntax.Instruction]bool{}
	for c, isEmptied := range emptied {
		for _, in := range c.Stage.Body {
			dropped[in] = isEmptied
		}
	}
	for _, in := range p.File.Instructions {
		l.instruction(in, p.Decision(in).Holds && !dropped[in])
	}
	for _, c := range p.Stages {
		if emptied[c] || c.hasNoBase() {
			l.rewriteReference(c.Stage.Base, emptyImage)
			continue
		}
		for i := range c.Edges {
			l.reference(c, &c.Edges[i])
		}
	}
	return l.apply()
}

// lowerer collects the edits to one file.
type lowerer struct {
	file   *source.File
	escape byte
	edits  []edit
}

// edit replaces the bytes of a span.
type edit struct {
	source.Span
	text string
}

// instruction drops an instruction, or cuts stagebuild's own flags out of it.
func (l *lowerer) instruction(in *syntax.Instruction, isKept bool) {
	if !isKept {
		l.drop(in)
		return
	}
	flags := in.OwnFlags()
	for i, flag := range flags {
		l.cut(in, flag, in.HasTrailingFlag() && i == len(flags)-1)
	}
}

// reference rewrites a reference in place if BuildKit would read it differently.
func (l *lowerer) reference(c *Choice, e *Edge) {
	name := e.Name
	switch isBase := e.Reference.Kind == syntax.FromBase; {
	case e.isTrigger:
		return
	case e.Reference.Kind == syntax.Needs:
		return // cut with its flag
	case e.isInvalid:
		// The stage is unreached, but BuildKit parses its references.
		name = emptyImage
	case e.Input != nil && isBase:
		// The stage runs on the platform of its base. Without the input, BuildKit would
		// use the stage of this name for the target platform, even where a named context
		// replaces it.
		if in := c.inputFor(e); in != nil {
			name = in.Name
		}
		if c.Stage.Platform == "" {
			l.addPlatform(c.Stage.From, e.Input.Platform)
		}
	case e.Input != nil:
		name = e.Input.Name
	case e.Stage != nil && e.isNumber:
		name = strconv.Itoa(e.Stage.position)
	case isBase && e.Stage != nil && e.Name != e.Stage.Stage.Name:
		name = e.Stage.Stage.Name // In FROM, BuildKit compares names with case.
	case isBase:
		return // BuildKit expands the variables of a base.
	}
	l.rewriteReference(e.Reference, name)
}

// drop turns the lines of an instruction into empty comments. BuildKit discards the
// comments above an empty one (parser.go), so they do not become the description of the
// next instruction.
func (l *lowerer) drop(in *syntax.Instruction) {
	for line := in.First; line <= in.Last; line++ {
		s := l.file.LineSpan(line)
		if line == 1 && bytes.HasPrefix(l.file.Data, []byte("\xef\xbb\xbf")) {
			s.Start += 3
		}
		l.replace(s, "#")
	}
}

// cut removes a flag, or the part of it that is on one line, with the white space after it
// or, at the end of the line, before it. last is true for the last part of a flag that ends
// its instruction: if the text that is left would not end the instruction there, cut adds a
// marker.
func (l *lowerer) cut(in *syntax.Instruction, flag source.Span, last bool) {
	number := l.file.Line(flag.Start)
	line := l.file.LineSpan(number)
	data := l.file.Data
	for flag.End < line.End && isBlank(data[flag.End]) {
		flag.End++
	}
	left := bytes.TrimRight(l.textBefore(line, flag.Start), " \t\v\f")
	marker := ""
	if number != in.First && len(bytes.TrimSpace(left)) == 0 {
		marker = markerBefore(data[flag.End:line.End])
	}
	if marker == "" && last && !l.isSafeEnd(left) {
		marker = endOfFlags
	}
	if flag.End == line.End && marker == "" {
		flag.Start = line.Start + len(left)
		if n := len(l.edits); n > 0 {
			flag.Start = max(flag.Start, l.edits[n-1].End)
		}
	}
	l.replace(flag, marker)
}

// endOfFlags ends the flags of an instruction. It has no effect after the last flag.
const endOfFlags = "--"

// markerBefore returns the marker to write before the rest of a continuation line of which
// nothing else is left. An empty line would join the next instruction, and a line that
// begins with # would be a comment. A line gets one marker, because later cuts are to the
// right of it.
func markerBefore(rest []byte) string {
	rest = bytes.TrimLeftFunc(rest, unicode.IsSpace)
	switch {
	case len(rest) == 0:
		return endOfFlags
	case rest[0] == '#':
		return endOfFlags + " "
	}
	return ""
}

// isSafeEnd reports whether text can end an instruction. An escape character would
// continue the line, and BuildKit trims white space beyond ASCII, even if it took the
// first byte of it for a part of another flag.
func (l *lowerer) isSafeEnd(text []byte) bool {
	n := len(text)
	return n > 0 && text[n-1] < utf8.RuneSelf && text[n-1] != l.escape
}

// textBefore returns the text of a line up to offset, with spaces in place of the edits.
func (l *lowerer) textBefore(line source.Span, offset int) []byte {
	left := slices.Clone(l.file.Data[line.Start:offset])
	for _, e := range slices.Backward(l.edits) {
		if e.End <= line.Start {
			break
		}
		for i := max(e.Start, line.Start); i < min(e.End, offset); i++ {
			left[i-line.Start] = ' '
		}
	}
	return left
}

func isBlank(b byte) bool {
	return b == ' ' || b == '\t'
}

// addPlatform adds --platform to a FROM, directly after the keyword or in place of an empty
// --platform. After "--", BuildKit would not read the flag.
func (l *lowerer) addPlatform(from *syntax.Instruction, platform guard.Platform) {
	flag := "--platform=" + guard.FormatPlatform(platform)
	spans := from.PlatformFlag()
	if spans[0].Start == spans[0].End {
		flag = " " + flag
	}
	l.rewrite(spans, flag)
}

func (l *lowerer) rewriteReference(ref *syntax.Reference, name string) {
	if ref.Text != name && ref.Text != "" {
		l.rewrite(ref.Bytes(), name)
	}
}

// rewrite replaces the spans of a text, which may be on several lines, with a name. It
// writes the name on the last of these lines, because an empty continuation line would
// join the next instruction.
func (l *lowerer) rewrite(old []source.Span, name string) {
	last := l.file.LineSpan(l.file.Line(old[len(old)-1].Start)).Start
	for _, s := range old {
		if s.Start < last {
			l.replace(s, "")
			continue
		}
		l.replace(s, name)
		name = ""
	}
}

func (l *lowerer) replace(s source.Span, text string) {
	l.edits = append(l.edits, edit{s, text})
}

// apply returns the file with all edits.
func (l *lowerer) apply() []byte {
	slices.SortStableFunc(l.edits, func(a, b edit) int { return cmp.Or(a.Start-b.Start, a.End-b.End) })
	out := make([]byte, 0, len(l.file.Data))
	pos := 0
	for _, e := range l.edits {
		out = append(out, l.file.Data[pos:e.Start]...)
		out = append(out, e.text...)
		pos = e.End
	}
	return append(out, l.file.Data[pos:]...)
}
