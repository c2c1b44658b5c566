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

// emptyImage is the name of the base that BuildKit never pulls.
const emptyImage = "scratch"

// Lower returns the plain Dockerfile of a plan. It has as many lines as the file, and
// every kept instruction begins and ends on its original lines: only the bytes of dropped
// instructions, guard flags and rewritten references change. A plain file comes back as
// it is, even if it is invalid: BuildKit reports that.
func Lower(p *Plan) []byte {
	return lower(p, nil)
}

// LowerStage lowers the file but empties every stage except c, its dependencies and the
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

// epochArg gives the results of a build their time: in seconds, or as the name of a
// stage that adds one remote source with that time (BuildKit's dockerfile2llb/epoch.go).
const epochArg = "SOURCE_DATE_EPOCH"

// buildContext is the value that means the build context, also if a stage has the name.
const buildContext = "context"

// epochStages returns the selected stages that the arg names. BuildKit reads the first of
// them in every conversion, also in that of a stage which does not use it.
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

// lower lowers a file in which some of the selected stages are emptied.
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

// lowerer collects the edits of one file.
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

// instruction drops an instruction, or cuts the flags of the language out of it.
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

// reference rewrites a reference in place where BuildKit would read it differently.
func (l *lowerer) reference(c *Choice, e *Edge) {
	name := e.Name
	switch isBase := e.Reference.Kind == syntax.FromBase; {
	case e.isTrigger:
		return
	case e.Reference.Kind == syntax.Needs:
		return // cut with its flag
	case e.isInvalid:
		// BuildKit reads the references of every stage, reached or not.
		name = emptyImage
	case e.Input != nil && isBase:
		// The stage runs on the platform of its base. Without the input, the name of a
		// stage would mean the stage of the target platform, also where a named context
		// replaces it.
		if in := c.supplied(e); in != nil {
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
		name = e.Stage.Stage.Name // BuildKit compares bases with case.
	case isBase:
		return // BuildKit expands it.
	}
	l.rewriteReference(e.Reference, name)
}

// drop turns the lines of an instruction into empty comments, so that a comment
// above them attaches to nothing (comments are reset in BuildKit's parser.go).
func (l *lowerer) drop(in *syntax.Instruction) {
	for line := in.First; line <= in.Last; line++ {
		s := l.file.LineSpan(line)
		if line == 1 && bytes.HasPrefix(l.file.Data, []byte("\xef\xbb\xbf")) {
			s.Start += 3
		}
		l.replace(s, "#")
	}
}

// cut removes the part of a guard flag that stands on one line, with the white
// space behind it or, at the line's end, before it. The last part of a guard that
// ends its instruction takes care that what is left still ends there.
func (l *lowerer) cut(in *syntax.Instruction, flag source.Span, last bool) {
	number := l.file.Line(flag.Start)
	line := l.file.LineSpan(number)
	data := l.file.Data
	for flag.End < line.End && isBlank(data[flag.End]) {
		flag.End++
	}
	left := bytes.TrimRight(l.left(line, flag.Start), " \t\v\f")
	marker := ""
	if number != in.First && len(bytes.TrimSpace(left)) == 0 {
		marker = markerBefore(data[flag.End:line.End])
	}
	if marker == "" && last && !l.endsSafely(left) {
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

// endOfFlags says nothing where flags end anyway.
const endOfFlags = "--"

// markerBefore returns what to write in front of the rest of a continuation line
// of which nothing else is left. An empty one would join the next instruction, and
// one that begins with # would be a comment. It is written once: what is cut later
// stands right of it.
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

// endsSafely reports whether text stays as it is at the end of an instruction.
// There an escape character would continue the line, and BuildKit trims a space
// beyond ASCII, also one whose first byte it took for part of another flag.
func (l *lowerer) endsSafely(text []byte) bool {
	n := len(text)
	return n > 0 && text[n-1] < utf8.RuneSelf && text[n-1] != l.escape
}

// left returns what stands on a line before offset, with spaces for what was cut.
func (l *lowerer) left(line source.Span, offset int) []byte {
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

// addPlatform gives a FROM a --platform: right behind the keyword, or in the place of an
// empty one. Behind "--", BuildKit reads no flags.
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

// rewrite puts a name in the place of bytes that may stand on several lines. It goes
// to the last of them: a continuation line of which nothing is left would join the
// next instruction.
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

// apply returns the file with all edits made.
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
