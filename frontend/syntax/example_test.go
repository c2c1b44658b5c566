package syntax_test

import (
	"fmt"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

func ExampleParse() {
	file, err := syntax.Parse(source.NewFile("Dockerfile", []byte(`ARG DEBUG=0
FROM --if=DEBUG debian:12 AS base
FROM scratch AS base

FROM --needs=test base AS app
COPY --from=build::linux/amd64 /out /
`)))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("staged:", file.IsStaged)
	for _, s := range file.Stages {
		fmt.Printf("%s (line %d), guard %q\n", s.Name, s.From.First, s.Guard())
		for _, ref := range s.References() {
			fmt.Printf("  %s %s\n", ref.Kind, ref.Text)
		}
	}
	// Output:
	// staged: true
	// base (line 2), guard "--if=DEBUG"
	//   FROM debian:12
	// base (line 3), guard ""
	//   FROM scratch
	// app (line 5), guard ""
	//   FROM base
	//   FROM --needs test
	//   COPY --from build::linux/amd64
}

func ExampleParse_errors() {
	_, err := syntax.Parse(source.NewFile("Dockerfile", []byte(`FROM scratch
COPY --needs=test a /
COPY --for=linux/amr64 b /
`)))
	for _, d := range source.Diagnostics(err) {
		fmt.Printf("%v\n%s\n", d, d.Snippet())
	}
	// Output:
	// Dockerfile:2:6: --needs is only allowed on FROM, not on COPY; move it to the FROM of the stage
	// COPY --needs=test a /
	//      ^^^^^^^^^^^^
	// Dockerfile:3:12: "linux/amr64" matches no platform; did you mean "linux/arm64"?
	// COPY --for=linux/amr64 b /
	//            ^^^^^^^^^^^
}

func ExampleFile_Group() {
	file, _ := syntax.Parse(source.NewFile("Dockerfile", []byte("FROM --for=windows a AS Base\nFROM b AS base\n")))
	group := file.Group("base")
	fmt.Println(len(group.Stages), group.IsGuarded())
	fmt.Println(file.Group("other") == nil)
	// Output:
	// 2 true
	// true
}

func ExampleSplitPlatform() {
	for _, name := range []string{"tools::linux/arm64", "tools", "[::1]:5000/tools"} {
		base, platform, ok := syntax.SplitPlatform(name)
		fmt.Println(strings.Join([]string{base, platform}, " "), ok)
	}
	// Output:
	// tools linux/arm64 true
	// tools  false
	// [::1]:5000/tools  false
}

func ExampleBlock() {
	file, _ := syntax.Parse(source.NewFile("Dockerfile", []byte(`FROM scratch
IF TARGETOS == "windows"
  ENV SUFFIX=.exe
ELSE
  ENV SUFFIX=
ENDIF
`)))
	for _, branch := range file.Blocks[0].Branches {
		fmt.Println(branch.Keyword.First, branch.Keyword.Guard.If != nil)
	}
	// Output:
	// 2 true
	// 4 false
}
