package source_test

import (
	"fmt"

	"github.com/stagebuild/stagebuild/frontend/source"
)

func ExampleDiagnostic() {
	file := source.NewFile("Dockerfile", []byte("FROM scratch\nCOPY --if=DEBGU a /\n"))
	d := &source.Diagnostic{
		Name:    "UnknownName",
		Span:    file.Span(23, 28),
		Message: `unknown name "DEBGU"`,
		Hint:    source.DidYouMean("DEBGU", []string{"DEBUG", "STRIP"}),
	}
	fmt.Println(d)
	fmt.Println(d.Snippet())
	// Output:
	// Dockerfile:2:11: unknown name "DEBGU"; did you mean "DEBUG"?
	// COPY --if=DEBGU a /
	//           ^^^^^
}

func ExampleSpan() {
	file := source.NewFile("Dockerfile", []byte("FROM scratch\nCOPY a /\n"))
	span := file.Span(13, 17)
	fmt.Println(span.Text(), span.Pos().Line, span.Pos().Column)
	// Output: COPY 2 1
}
