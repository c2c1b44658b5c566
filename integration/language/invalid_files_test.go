package language

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// invalidFile is a Dockerfile that cannot be built, with the error that clients print and
// the lines that they mark.
type invalidFile struct {
	name       string
	dockerfile string // without the "# syntax=" line, which is line 1
	args       []string
	marked     []string
	message    string
}

var invalidFiles = []invalidFile{
	{
		name:       "unknown name",
		dockerfile: "ARG DEBUG\nFROM scratch\nCOPY --if=DEBGU a b\n",
		marked:     []string{"   4 | >>> COPY --if=DEBGU a b"},
		message:    `Dockerfile:4:11: unknown name "DEBGU" in the condition; did you mean "DEBUG"?`,
	},
	{
		name:       "dollar name",
		dockerfile: "ARG DEBUG\nFROM scratch\nCOPY --if=$DEBUG a b\n",
		marked:     []string{"   4 | >>> COPY --if=$DEBUG a b"},
		message:    `Dockerfile:4:11: build args have no $ in a condition; write --if=DEBUG`,
	},
	{
		name:       "not a bool",
		dockerfile: "ARG DEBUG=maybe\nFROM scratch\nCOPY --if=DEBUG a b\n",
		marked:     []string{"   4 | >>> COPY --if=DEBUG a b"},
		message:    `Dockerfile:4:11: DEBUG = "maybe" is not a bool; set it to true, 1, false, 0 or "", or write --if='DEBUG == "maybe"'`,
	},
	{
		name:       "number",
		dockerfile: "ARG DEBUG\nFROM scratch\nCOPY --if='DEBUG == 1' a b\n",
		marked:     []string{"   4 | >>> COPY --if='DEBUG == 1' a b"},
		message:    `Dockerfile:4:12: DEBUG is a string, which never equals the number 1; write --if='DEBUG == "1"'`,
	},
	{
		name:       "unknown platform",
		dockerfile: "FROM --for=linux/amr64 scratch\nCOPY a b\n",
		marked:     []string{"   2 | >>> FROM --for=linux/amr64 scratch"},
		message:    `Dockerfile:2:12: "linux/amr64" matches no platform; did you mean "linux/arm64"?`,
	},
	{
		name:       "no variant",
		dockerfile: "ARG DEBUG\nFROM --for=linux/arm64 scratch AS base\nFROM --if=DEBUG scratch AS base\nFROM base\n",
		marked:     []string{"   5 | >>> FROM base"},
		message: "Dockerfile:5:6: stage \"base\" has no variant for linux/amd64:\n" +
			"  line 3: --for=linux/arm64 does not match linux/amd64\n" +
			"  line 4: --if=DEBUG is false with DEBUG = \"\"\n" +
			"add a variant whose guard holds, or one without a guard below the others: FROM … AS base, or guard this line with --for or --if",
	},
	{
		name:       "default variant not last",
		dockerfile: "FROM scratch AS base\nFROM --for=linux/arm64 scratch AS base\n",
		marked:     []string{"   2 | >>> FROM scratch AS base"},
		message: `Dockerfile:2:1: stage "base" has no guard here, so its variant on line 3 is never selected; ` +
			`move this variant below that one, or guard it with --for or --if`,
	},
	{
		name:       "COPY from a dropped stage",
		dockerfile: "FROM --for=linux/arm64 scratch AS tools\nFROM scratch\nCOPY --from=tools \\\n  /a /b\n",
		marked:     []string{"   4 | >>> COPY --from=tools \\"},
		message: "Dockerfile:4:13: stage \"tools\" has no variant for linux/amd64:\n" +
			"  line 2: --for=linux/arm64 does not match linux/amd64\n" +
			"add a variant whose guard holds, or one without a guard below the others: FROM … AS tools, or guard this line with --for or --if",
	},
	{
		name:       "number of a dropped stage",
		dockerfile: "FROM scratch AS one\nIF false\n  FROM scratch AS two\nENDIF\nFROM one\nCOPY --from=1 a b\n",
		marked:     []string{"   7 | >>> COPY --from=1 a b"},
		message: `Dockerfile:7:13: stage 1 (line 4) is dropped for linux/amd64: in the IF on line 3, false is false; ` +
			`refer to the stage by its name, which all variants share`,
	},
	{
		name:       "invalid UTF-8",
		dockerfile: "FROM --needs=test\xff scratch\nCOPY a b\n",
		marked:     []string{"   2 | >>> FROM --needs=test\xff scratch"},
		message:    "Dockerfile:2:14: no stage is named \"test\ufffd\"; --needs takes the name of a stage above, not of an image",
	},
	{
		name:       "dropped default target",
		dockerfile: "FROM scratch AS one\nFROM --for=windows one AS two\n",
		marked:     []string{"   3 | >>> FROM --for=windows one AS two"},
		message: "Dockerfile:3:1: stage \"two\" has no variant for linux/amd64:\n" +
			"  line 3: --for=windows does not match linux/amd64\n" +
			"add a variant whose guard holds, or one without a guard below the others: FROM … AS two; or write --target one",
	},
	{
		name:       "guard with backticks",
		dockerfile: "# escape=`\nARG KIND=core\nFROM --for=linux `\n  --if=\"KIND == `\"core`\" && KNID\" scratch\nCOPY a C:\\b\\\n",
		marked:     []string{"   5 | >>>   --if=\"KIND == `\"core`\" && KNID\" scratch"},
		message:    `Dockerfile:5:29: unknown name "KNID" in the condition; did you mean "KIND"?`,
	},
	{
		name:       "unknown flag next to a guard",
		dockerfile: "ARG DEBUG=1\nFROM scratch\n\nCOPY --if=DEBUG --form=x a b\n",
		marked:     []string{"   5 | >>> COPY --if=DEBUG --form=x a b"},
		message:    `dockerfile parse error on line 5: unknown flag: --form (did you mean from?)`,
	},
	{
		name:       "guard in a trigger",
		dockerfile: "ARG DEBUG=1\nFROM scratch\nONBUILD COPY --if=DEBUG a b\n",
		marked:     []string{"   4 | >>> ONBUILD COPY --if=DEBUG a b"},
		message:    `Dockerfile:4:14: --if is not allowed inside an ONBUILD trigger, because other builds run it; write ONBUILD --if=DEBUG COPY …`,
	},
	{
		name:       "empty expansion",
		dockerfile: "FROM scratch\nARG WHICH\nCOPY --from=$WHICH a b\n",
		marked:     []string{"   4 | >>> COPY --from=$WHICH a b"},
		message:    `Dockerfile:4:13: COPY --from=$WHICH is empty for linux/amd64; set WHICH with ARG WHICH=… or --build-arg WHICH=…, or write ${WHICH:-STAGE}`,
	},
	{
		name:       "unterminated quote",
		dockerfile: "ARG DEBUG\nFROM scratch\nCOPY --if='DEBUG a b\n",
		marked:     []string{"   4 | >>> COPY --if='DEBUG a b"},
		message:    `Dockerfile:4:11: the quote in --if is not closed; close it, or escape it if it is part of the value`,
	},
	{
		name:       "several errors",
		dockerfile: "FROM scratch\nCOPY --if=ONE a b\nCOPY --if=TWO a b\n",
		marked:     []string{"   3 | >>> COPY --if=ONE a b", "   4 | >>> COPY --if=TWO a b"},
		message: "Dockerfile:3:11: unknown name \"ONE\" in the condition; declare it above with ARG ONE\n" +
			"Dockerfile:4:11: unknown name \"TWO\" in the condition; declare it above with ARG TWO",
	},
	{
		name:       "a file of one MiB",
		dockerfile: "ARG DEBUG\nFROM scratch\n" + strings.Repeat("# "+strings.Repeat("x", 1021)+"\n", 1024) + "COPY --if=DEBGU a b\n",
		marked:     []string{" 1028 | >>> COPY --if=DEBGU a b"},
		message:    `Dockerfile:1028:11: unknown name "DEBGU" in the condition; did you mean "DEBUG"?`,
	},
}

// TestInvalidFiles builds invalid files with the plugin and with the frontend image: both
// print the same error and mark the same lines of the user's file.
func TestInvalidFiles(t *testing.T) {
	env, frontend := suite.Product(t)
	for _, f := range invalidFiles {
		t.Run(f.name, func(t *testing.T) {
			dir := testkit.Request{Dockerfile: f.dockerfile, Files: map[string]string{"a": "a"}}.WriteContext(t, frontend)
			for _, command := range failingCommands(dir) {
				out, err := env.Run(t.Context(), command[0], append(command[1:], f.args...)...)
				if err == nil {
					t.Errorf("%s built it", command[0])
					continue
				}
				message, marked := testkit.ParseError(out)
				if diff := cmp.Diff(f.message, message); diff != "" {
					t.Errorf("%s prints (-want +got):\n%s", command[0], diff)
				}
				if diff := cmp.Diff(f.marked, marked); diff != "" {
					t.Errorf("%s marks (-want +got):\n%s", command[0], diff)
				}
			}
		})
	}
}

// failingCommands returns a build with the in-process frontend and one with the frontend
// image.
func failingCommands(dir string) [][]string {
	return [][]string{
		{"docker-stagebuild", "build", "--progress=plain", "--platform=linux/amd64", dir},
		{"buildctl", "build", "--progress=plain", "--frontend=dockerfile.v0", "--opt=platform=linux/amd64",
			"--local=context=" + dir, "--local=dockerfile=" + dir},
	}
}

// TestEmptyFile builds an empty file, whose error is BuildKit's own.
func TestEmptyFile(t *testing.T) {
	env, _ := suite.Product(t)
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": ""})
	for _, command := range failingCommands(dir) {
		out, err := env.Run(t.Context(), command[0], command[1:]...)
		if err == nil {
			t.Fatalf("%s built an empty file", command[0])
		}
		if got, _ := testkit.ParseError(out); got != "the Dockerfile cannot be empty" {
			t.Errorf("%s prints %q", command[0], got)
		}
	}
}

// TestManyStages builds a file of 5,000 stages, half of them dropped variants.
func TestManyStages(t *testing.T) {
	env, frontend := suite.Product(t)
	var b strings.Builder
	b.WriteString("FROM scratch AS stage0\nCOPY a /a\n")
	for i := 1; i < 2500; i++ {
		fmt.Fprintf(&b, "FROM --for=linux/arm64 nosuchbase-%d AS stage%d\n", i, i)
		fmt.Fprintf(&b, "FROM stage%d AS stage%d\n", i-1, i)
	}
	dir := testkit.Request{Dockerfile: b.String(), Files: map[string]string{"a": "a"}}.WriteContext(t, frontend)
	for i, w := range testkit.Clients(frontend)[:3] {
		repo := fmt.Sprintf("staged/many:%d", i)
		r := testkit.Request{Platforms: []string{"linux/amd64"}}
		if err := w.Build(t, env, dir, repo, r); err != nil {
			t.Fatalf("%s: %v", w.Name, err)
		}
		res, err := env.Registry.Read(t.Context(), repo)
		if err != nil {
			t.Fatal(err)
		}
		testkit.WantFile(t, res, "linux/amd64", "a", "a")
	}
}
