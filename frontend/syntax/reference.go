package syntax

import (
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/tonistiigi/go-csvvalue"

	"github.com/stagebuild/stagebuild/frontend/source"
)

// ReferenceKind is the kind of place that a reference is in.
type ReferenceKind int

// The kinds of references.
const (
	FromBase  ReferenceKind = iota // FROM name
	CopyFrom                       // COPY --from=name
	MountFrom                      // RUN --mount=from=name
	Needs                          // FROM --needs=name
)

// SplitPlatform splits name::PLATFORM, and reports whether there is a platform. It does
// not split at the colons of an IPv6 address, as in [::1]:5000/image.
func SplitPlatform(name string) (base, platform string, ok bool) {
	i := strings.LastIndex(name, "::")
	if i < 0 || strings.Contains(name[i:], "]") {
		return name, "", false
	}
	return name[:i], name[i+len("::"):], true
}

// String returns the kind as users write it, "COPY --from" for example.
func (k ReferenceKind) String() string {
	return [...]string{"FROM", "COPY --from", "RUN --mount=from", "FROM --needs"}[k]
}

// Reference is a place that names a stage or an image.
type Reference struct {
	Kind ReferenceKind
	// Text is the reference without quotes and escapes, unexpanded.
	Text string
	// Instruction is the instruction that the reference is in.
	Instruction *Instruction

	value value
}

// HasVariables reports whether the reference has variables to expand. BuildKit
// expands none in --from and refuses most (toCommand in convert.go, parseMount in
// commands_runmount.go): there, variables are part of the language.
func (r *Reference) HasVariables() bool {
	switch r.Kind {
	case CopyFrom:
		if !strings.Contains(r.Text, "$") {
			return false
		}
		result, err := shell.NewLex(rune(r.Instruction.escape)).ProcessWordWithMatches(r.Text, noEnv{})
		return err != nil || result.Result != r.Text
	case MountFrom:
		i := strings.IndexByte(r.Text, '$')
		return i >= 0 && i != len(r.Text)-1
	default:
		return strings.Contains(r.Text, "$")
	}
}

// hasPlatform reports whether the reference has the form name::PLATFORM.
func (r *Reference) hasPlatform() bool {
	_, _, ok := SplitPlatform(r.Text)
	return ok
}

// Span returns the reference's span, without quotes around it.
func (r *Reference) Span() source.Span {
	return valueSpan(r.Instruction.text, r.value, 0, len(r.Text))
}

// Bytes returns the spans of the reference's bytes, in ascending order, without the
// quotes around or inside it.
func (r *Reference) Bytes() []source.Span {
	var spans []source.Span
	for i := range len(r.Text) {
		start, end := r.value.written(i)
		spans = append(spans, r.Instruction.text.spans(start, end)...)
	}
	return spans
}

// referencesOf returns the references in the flags of a COPY or RUN: of the instruction
// itself, or of the trigger in an ONBUILD.
func referencesOf(in *Instruction, keyword string, flags []rawFlag) []*Reference {
	var refs []*Reference
	for _, f := range flags {
		kind, ok := referenceFlag(keyword, flagName(in.text.string, f, in.escape))
		if !ok {
			continue
		}
		v := unquote(in.text.string, f.start, f.end, in.escape)
		equals := strings.IndexByte(v.string, '=')
		if equals < 0 || equals+1 == len(v.string) {
			continue
		}
		v = v.slice(equals+1, len(v.string))
		if kind == MountFrom {
			if v, ok = mountFrom(v); !ok {
				continue
			}
		}
		refs = append(refs, &Reference{Kind: kind, Text: v.string, Instruction: in, value: v})
	}
	return refs
}

// referenceFlag returns the kind of reference in a flag, and whether the flag has one.
func referenceFlag(keyword, flag string) (ReferenceKind, bool) {
	switch {
	case keyword == command.Copy && flag == "from":
		return CopyFrom, true
	case keyword == command.Run && flag == "mount":
		return MountFrom, true
	}
	return 0, false
}

// mountFrom returns the value of the from field in a mount's comma-separated list, and
// whether it has one. The last one counts (parseMount in BuildKit's
// commands_runmount.go).
func mountFrom(list value) (value, bool) {
	fields, err := csvvalue.Fields(list.string, nil)
	if err != nil {
		return value{}, false
	}
	var from value
	found := false
	pos := 0
	for _, field := range fields {
		start := pos
		quoted := strings.HasPrefix(list.string[pos:], `"`)
		if quoted {
			start++
			// Inside quotes, a quote is written twice.
			pos = start + len(field) + strings.Count(field, `"`) + len(`"`)
		} else {
			pos += len(field)
		}
		pos += len(",")
		key, text, ok := strings.Cut(field, "=")
		if !ok || !strings.EqualFold(key, "from") || text == "" || strings.Contains(field, `"`) {
			continue
		}
		from, found = list.slice(start+len(key)+1, start+len(field)), true
	}
	return from, found
}

// baseOf returns the base of a FROM and the stage's name in lower case. BuildKit refuses
// a FROM that has neither one nor three words.
func baseOf(in *Instruction) (*Reference, string) {
	words := fieldsASCII(in.text.string, in.head.argStart, in.head.argEnd)
	if len(words) == 0 {
		return &Reference{Kind: FromBase, Instruction: in}, ""
	}
	line := in.text.string
	base := words[0]
	v := literal(line, base.start, base.end)
	name := ""
	if len(words) == 3 && strings.EqualFold(line[words[1].start:words[1].end], "as") {
		name = strings.ToLower(line[words[2].start:words[2].end])
	}
	return &Reference{Kind: FromBase, Text: v.string, Instruction: in, value: v}, name
}

// fieldsASCII splits at the white space of BuildKit's reWhitespace.
func fieldsASCII(line string, start, end int) []rawFlag {
	words := make([]rawFlag, 0, 3)
	for start < end {
		n := strings.IndexAny(line[start:end], "\t\v\f\r ")
		switch {
		case n == 0:
			start++
			continue
		case n < 0:
			n = end - start
		}
		words = append(words, rawFlag{start, start + n})
		start += n
	}
	return words
}
