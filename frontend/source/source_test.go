package source_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/frontend/source"
)

// TestDiagnostics checks positions, texts and snippets. The marks «» enclose the
// diagnostic's span.
func TestDiagnostics(t *testing.T) {
	for _, tt := range []struct{ name, text, err, snippet string }{
		{"simple", "FROM a\nRUN «x» y\nRUN z", "f:2:5: m; h", "RUN x y\n    ^"},
		{"tabs", "\tRUN\t«--if=x»\ty", "f:1:6: m; h", "\tRUN\t--if=x\ty\n\t   \t^^^^^^"},
		{"characters of several bytes", "RUN grün «ütü» x", "f:1:11: m; h", "RUN grün ütü x\n         ^^^"},
		{"byte-order mark", "\ufeffRUN «x»", "f:1:8: m; h", "RUN x\n    ^"},
		{"the byte-order mark itself", "«\ufeffRUN» x", "f:1:1: m; h", "RUN x\n^^^^"},
		{"carriage returns", "FROM a\r\nRUN «x»\r\n", "f:2:5: m; h", "RUN x\n    ^"},
		{"several lines", "RUN «a \\\n  b» c", "f:1:5: m; h", "RUN a \\\n    ^^^"},
		{"nothing, in a line", "RUN «»x", "f:1:5: m; h", "RUN x\n    ^"},
		{"nothing, at the end of a line", "RUN x«»\nRUN y", "f:1:6: m; h", "RUN x\n     ^"},
		{"nothing, at the end of the file", "RUN x\n«»", "f:2:1: m; h", "\n^"},
		{"an empty file", "«»", "f:1:1: m; h", "\n^"},
		{"not UTF-8", "RUN \xff«\xfe»", "f:1:6: m; h", "RUN \xff\xfe\n     ^"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := strings.Index(tt.text, "«")
			end := strings.Index(tt.text, "»") - len("«")
			data := strings.NewReplacer("«", "", "»", "").Replace(tt.text)
			d := &source.Diagnostic{Name: "N", Span: source.NewFile("f", []byte(data)).Span(start, end), Message: "m", Hint: "h"}
			if got := d.Error(); got != tt.err {
				t.Errorf("error is %q, want %q", got, tt.err)
			}
			if got := d.Snippet(); got != tt.snippet {
				t.Errorf("snippet is\n%s\nwant\n%s", got, tt.snippet)
			}
		})
	}
}

func TestSpanLines(t *testing.T) {
	f := source.NewFile("f", []byte("a\nbb\nccc"))
	for _, tt := range []struct{ start, end, first, last int }{
		{0, 1, 1, 1}, {0, 3, 1, 2}, {0, 8, 1, 3}, {2, 2, 2, 2}, {8, 8, 3, 3},
	} {
		t.Run(fmt.Sprintf("%d-%d", tt.start, tt.end), func(t *testing.T) {
			if first, last := f.Span(tt.start, tt.end).Lines(); first != tt.first || last != tt.last {
				t.Errorf("lines %d to %d, want %d to %d", first, last, tt.first, tt.last)
			}
		})
	}
}

func TestHints(t *testing.T) {
	f := source.NewFile("f", []byte("x"))
	for _, tt := range []struct{ message, hint, want string }{
		{"m", "", "f:1:1: m"},
		{"m", "h", "f:1:1: m; h"},
		{"m \xffé", "h \xc3", "f:1:1: m \ufffdé; h \ufffd"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			d := &source.Diagnostic{Span: f.Span(0, 0), Message: tt.message, Hint: tt.hint}
			if got := d.Error(); got != tt.want {
				t.Errorf("error is %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLines(t *testing.T) {
	for _, tt := range []struct {
		data string
		want []string
	}{
		{"", []string{""}},
		{"a", []string{"a"}},
		{"a\n", []string{"a"}},
		{"\n", []string{""}},
		{"a\r\nb\r\r\n\nc\r", []string{"a", "b\r", "", "c"}},
	} {
		t.Run(tt.data, func(t *testing.T) {
			f := source.NewFile("f", []byte(tt.data))
			var got []string
			for line := 1; line <= f.Lines(); line++ {
				got = append(got, f.LineSpan(line).Text())
			}
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", tt.want) {
				t.Errorf("lines are %q, want %q", got, tt.want)
			}
		})
	}
}

func TestList(t *testing.T) {
	if err := (source.List{}).Err(); err != nil {
		t.Errorf("an empty list is an error: %v", err)
	}
	f := source.NewFile("f", []byte("abc"))
	at := func(start int, name, message string) *source.Diagnostic {
		return &source.Diagnostic{Span: f.Span(start, start+1), Name: name, Message: message}
	}
	err := source.List{at(2, "A", "late"), at(0, "B", "one"), at(0, "B", "two"), at(0, "A", "first"), at(0, "B", "one")}.Err()
	if want := "f:1:1: first\nf:1:1: one\nf:1:1: two\nf:1:3: late"; err.Error() != want {
		t.Errorf("the list is\n%v\nwant\n%s", err, want)
	}
	if got := source.Diagnostics(fmt.Errorf("wrapped: %w", err)); len(got) != 4 {
		t.Errorf("a wrapped list has %d diagnostics", len(got))
	}
	if got := source.Diagnostics(fmt.Errorf("wrapped: %w", at(0, "A", "one"))); len(got) != 1 {
		t.Errorf("a wrapped diagnostic counts as %d", len(got))
	}
	if got := source.Diagnostics(errors.New("another")); got != nil {
		t.Errorf("another error has diagnostics: %v", got)
	}
	var d *source.Diagnostic
	if !errors.As(err, &d) || d.Message != "first" {
		t.Errorf("errors.As finds %v", d)
	}
}

// TestListOfSeveralFiles checks that equal offsets in two files of one name are different
// places, and that the files keep the order in which the list mentions them.
func TestListOfSeveralFiles(t *testing.T) {
	first, second := source.NewFile("f", []byte("abc")), source.NewFile("f", []byte("abc"))
	at := func(f *source.File, start int, message string) *source.Diagnostic {
		return &source.Diagnostic{Name: "N", Span: f.Span(start, start+1), Message: message}
	}
	err := source.List{at(first, 2, "x"), at(second, 0, "x"), at(first, 0, "y"), at(second, 2, "x"), at(second, 0, "x")}.Err()
	if want := "f:1:1: y\nf:1:3: x\nf:1:1: x\nf:1:3: x"; err.Error() != want {
		t.Errorf("the list is\n%v\nwant\n%s", err, want)
	}
}

// TestSummary compares the summary and the whole text of diagnostics with and without a
// platform and a detail.
func TestSummary(t *testing.T) {
	f := source.NewFile("f", []byte("abc"))
	for _, test := range []struct{ name, platform, detail, summary, text string }{
		{"message", "", "", "m", "f:1:1: m; h"},
		{"platform", "linux/arm64", "", "m for linux/arm64", "f:1:1: m for linux/arm64; h"},
		{"reason", "linux/arm64", "r", "m for linux/arm64: r", "f:1:1: m for linux/arm64: r; h"},
		{"list", "linux/arm64", "\n  r", "m for linux/arm64", "f:1:1: m for linux/arm64:\n  r\nh"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := &source.Diagnostic{Name: "N", Span: f.Span(0, 1), Message: "m", Platform: test.platform, Detail: test.detail, Hint: "h"}
			if got := d.Summary(); got != test.summary {
				t.Errorf("Summary() = %q, want %q", got, test.summary)
			}
			if got := d.Error(); got != test.text {
				t.Errorf("Error() = %q, want %q", got, test.text)
			}
		})
	}
}

func TestClosest(t *testing.T) {
	options := []string{"linux", "amd64", "arm64", "DEBUG", "A", "AB"}
	for word, want := range map[string]string{
		"linxu": "linux", "lnux": "linux", "amr64": "arm64", "amd46": "amd64", "debug": "DEBUG", "DEBGU": "DEBUG",
		"windows": "", "B": "", "BA": "AB", "xyz": "", "": "",
	} {
		t.Run(word, func(t *testing.T) {
			if got := source.Closest(word, options); got != want {
				t.Errorf("closest is %q, want %q", got, want)
			}
		})
	}
	if got := source.DidYouMean("linxu", options); got != `did you mean "linux"?` {
		t.Errorf("got %q", got)
	}
	if got := source.DidYouMean("windows", options); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestOneTypo(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"endif", "endfi", true}, {"endif", "endiff", true}, {"endif", "ndif", true}, {"endif", "andif", true},
		{"endif", "endif", true}, {"", "i", true}, {"if", "fi", true},
		{"endif", "enfid", false}, {"endif", "end", false}, {"if", "", false}, {"if", "or", false}, {"abcd", "badc", false},
	} {
		t.Run(tt.a+" "+tt.b, func(t *testing.T) {
			if source.OneTypo(tt.a, tt.b) != tt.want || source.OneTypo(tt.b, tt.a) != tt.want {
				t.Errorf("got %t, want %t", !tt.want, tt.want)
			}
		})
	}
}
