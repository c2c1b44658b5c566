package source

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Diagnostic is an error or a warning about a span of a file, with a hint how to fix it.
// It implements error.
type Diagnostic struct {
	// Name is the diagnostic's stable identifier, "UnknownName" for example.
	Name string
	Span Span
	// Message is one line, without the platform and the detail.
	Message string
	// Platform is the target platform that the message is limited to, "linux/arm64"
	// for example. It may be empty.
	Platform string
	// Detail is the reason, in one line, or a list that begins with a line break. It may
	// be empty.
	Detail string
	// Hint is the fix, "write NAME" for example. It may be empty.
	Hint string
}

// Error returns "file:line:column: message; hint". It replaces invalid UTF-8 by U+FFFD,
// because gRPC cannot transmit it.
func (d *Diagnostic) Error() string {
	p := d.Span.Pos()
	s := fmt.Sprintf("%s:%d:%d: %s", d.Span.File.Name, p.Line, p.Column, d.Summary())
	if d.hasList() {
		s += ":" + d.Detail
	}
	switch {
	case d.Hint == "":
	case d.hasList():
		s += "\n" + d.Hint
	default:
		s += "; " + d.Hint
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// Summary returns the message with its platform and its detail, but without a list.
func (d *Diagnostic) Summary() string {
	s := d.Message
	if d.Platform != "" {
		s += " for " + d.Platform
	}
	if d.Detail != "" && !d.hasList() {
		s += ": " + d.Detail
	}
	return s
}

func (d *Diagnostic) hasList() bool {
	return strings.HasPrefix(d.Detail, "\n")
}

// Snippet returns the first line of the diagnostic's span and, below it, carets under
// the span. Tabs are kept, so that both lines align.
func (d *Diagnostic) Snippet() string {
	file, p := d.Span.File, d.Span.Pos()
	line := file.LineSpan(p.Line)
	text := strings.TrimPrefix(line.Text(), "\ufeff")
	trimmed := line.End - line.Start - len(text)

	var pad strings.Builder
	for _, r := range text[:max(0, min(p.Column-1-trimmed, len(text)))] {
		if r == '\t' {
			pad.WriteByte('\t')
		} else {
			pad.WriteByte(' ')
		}
	}
	marked := file.Span(d.Span.Start, max(d.Span.Start, min(d.Span.End, line.End))).Text()
	carets := max(1, len([]rune(marked)))
	return text + "\n" + pad.String() + strings.Repeat("^", carets)
}

// List is a list of diagnostics that are reported together. It implements error.
type List []*Diagnostic

// Error returns the texts of the diagnostics, one per line.
func (l List) Error() string {
	msgs := make([]string, len(l))
	for i, d := range l {
		msgs[i] = d.Error()
	}
	return strings.Join(msgs, "\n")
}

// Unwrap returns the diagnostics, for errors.As and errors.Is.
func (l List) Unwrap() []error {
	errs := make([]error, len(l))
	for i, d := range l {
		errs[i] = d
	}
	return errs
}

// Err returns nil for an empty list, and otherwise the list without duplicates:
// file by file, in the order in which the list first mentions the files, and by
// position in each.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	order := map[*File]int{}
	for _, d := range l {
		if _, ok := order[d.Span.File]; !ok {
			order[d.Span.File] = len(order)
		}
	}
	sorted := slices.Clone(l)
	slices.SortStableFunc(sorted, func(a, b *Diagnostic) int {
		return cmp.Or(
			cmp.Compare(order[a.Span.File], order[b.Span.File]),
			cmp.Compare(a.Span.Start, b.Span.Start),
			strings.Compare(a.Name, b.Name),
		)
	})
	type identity struct {
		Span
		name, summary, detail string
	}
	seen := map[identity]bool{}
	return slices.DeleteFunc(sorted, func(d *Diagnostic) bool {
		id := identity{d.Span, d.Name, d.Summary(), d.Detail}
		again := seen[id]
		seen[id] = true
		return again
	})
}

// Diagnostics returns the diagnostics that err wraps, or nil if there are none.
func Diagnostics(err error) List {
	if list, ok := errors.AsType[List](err); ok {
		return list
	}
	if one, ok := errors.AsType[*Diagnostic](err); ok {
		return List{one}
	}
	return nil
}
