package syntax

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/stagebuild/stagebuild/frontend/source"
)

// TestLexerAgreesWithBuildKit compares the lexer with BuildKit's parser on difficult
// input.
func TestLexerAgreesWithBuildKit(t *testing.T) {
	for _, dockerfile := range []string{
		"RUN -- --if=x",
		"RUN --\"\"''\"\"'' --network=none x",
		"RUN --\"\"''\"\"''\\",
		"RUN --\\-",
		"RUN --a --\tb --c",
		"RUN --\"a b\"' c'd\\ e\\\"\\\\ --x y",
		"RUN --'a\\'b' --\"un closed",
		"ARG --\x85f=1 b",
		"ARG --a --\x85\xa0 f=1 b",
		"ARG --a \x85f=1 b",
		"RUN --à=1 --b x", // 0xA0 inside it is a space for BuildKit
		"RUN --a=é --b=ü x",
		"ARG a \\\v",
		"ARG \"a b\"=c 'd\\' e='f g' h\\ i=\"\\\"j k\"",
		"ARG a=\"open",
		"ENV a b=c  d ",
		"ENV a=b c=d\\ e",
		"\u00a0RUN\u00a0x y",
		"\v\fRUN\v\fx y",
		"# escape=`\nRUN a`\n# comment\n\n \t\n b ` \t\n c``\nRUN d",
		"RUN a\\\\\nRUN b\\\\\\\nRUN c",
		"RUN a \\\n",
		"RUN a \\",
		"\\\nRUN a",
		"R\\\nUN a",
		"RUN a\\\r\n b\r\r\nRUN c\r",
		"\ufeffRUN a",
		"\ufeff\ufeffRUN a",
		"RUN <<A <<-B\nB\nA\n\t\tB\nRUN c",
		"RUN <<\"A B\"\nA B\nRUN c",
		"RUN 3<<A <<''\nA\nRUN c",
		"RUN [\"<<A\"]\nRUN [\"<<B\"\nB\nRUN c",
		"onbuild Copy --x <<A /b\nA\nONBUILD ONBUILD RUN <<B\nRUN c",
		"ONBUILD\nADD <<A \\\n/b\nA\nCMD <<B\nRUN c",
		"RUN # <<A\nA\nRUN c",
		"#\n# escape=`\nRUN a \\\n b",
	} {
		t.Run(dockerfile, func(t *testing.T) {
			data := []byte(dockerfile)
			file, err := Parse(source.NewFile("Dockerfile", data))
			checkDiagnostics(t, err, len(data))
			tree, err := parser.Parse(bytes.NewReader(data))
			if err != nil {
				t.Fatalf("BuildKit refuses the file: %v", err)
			}
			if diff := cmp.Diff(theirs(tree), ours(file)); diff != "" {
				t.Errorf("instructions (-BuildKit +ours):\n%s", diff)
			}
		})
	}
}
