package frontend_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/frontend"
)

// refusal is a staged Dockerfile with an error. The ranges are the places that clients
// print, from the first character to the one after the last: line:character-line:character.
type refusal struct {
	name       string
	opts       map[string]string
	dockerfile string
	err        string
	ranges     []string
}

var refusals = []refusal{
	{
		name:       "unknown name in a condition",
		dockerfile: "ARG DEBUG=0\nFROM alpine\nRUN --if=DEBGU gdb\n",
		err:        `Dockerfile:3:10: unknown name "DEBGU" in the condition; did you mean "DEBUG"?`,
		ranges:     []string{"3:9-3:14"},
	},
	{
		name:       "$NAME in a condition",
		dockerfile: "ARG DEBUG=0\nFROM alpine\nRUN --if=$DEBUG gdb\n",
		err:        `Dockerfile:3:10: build args have no $ in a condition; write --if=DEBUG`,
		ranges:     []string{"3:9-3:15"},
	},
	{
		name:       "a value that is not a bool",
		opts:       map[string]string{"build-arg:DEBUG": "yes"},
		dockerfile: "ARG DEBUG=0\nFROM alpine\nRUN --network=none --if=DEBUG gdb\n",
		err:        `Dockerfile:3:25: DEBUG = "yes" is not a bool; set it to true, 1, false, 0 or "", or write --if='DEBUG == "yes"'`,
		ranges:     []string{"3:24-3:29"},
	},
	{
		name:       "a comparison that never holds",
		dockerfile: "ARG DEBUG=0\nFROM alpine\nRUN --if='DEBUG == 1' gdb\n",
		err:        `Dockerfile:3:11: DEBUG is a string, which never equals the number 1; write --if='DEBUG == "1"'`,
		ranges:     []string{"3:10-3:20"},
	},
	{
		name:       "unknown platform",
		dockerfile: "FROM alpine\nRUN --for=linux/amd64,linux/amr64 gdb\n",
		err:        `Dockerfile:2:23: "linux/amr64" matches no platform; did you mean "linux/arm64"?`,
		ranges:     []string{"2:22-2:33"},
	},
	{
		name:       "no variant for the platform",
		opts:       map[string]string{"platform": "linux/riscv64"},
		dockerfile: "ARG DEBUG=0\nFROM --for=linux/amd64 alpine AS base\nFROM --if='DEBUG && true' alpine AS base\nFROM base\n",
		err: `Dockerfile:4:6: stage "base" has no variant for linux/riscv64:
  line 2: --for=linux/amd64 does not match linux/riscv64
  line 3: --if=DEBUG && true is false with DEBUG = "0"
add a variant whose guard holds, or one without a guard below the others: FROM … AS base, or guard this line with --for or --if`,
		ranges: []string{"4:5-4:9"},
	},
	{
		name:       "named contexts that BuildKit never looks up",
		opts:       map[string]string{"context:context": "docker-image://alpine", "context:Base": "docker-image://alpine"},
		dockerfile: "FROM --for=windows never AS context\nFROM --for=windows never AS base\nFROM alpine\nCOPY --from=context / /\nCOPY --from=base / /\n",
		err: `Dockerfile:4:13: stage "context" has no variant for linux/amd64:
  line 1: --for=windows does not match linux/amd64
add a variant whose guard holds, or one without a guard below the others: FROM … AS context, or guard this line with --for or --if
Dockerfile:5:13: stage "base" has no variant for linux/amd64:
  line 2: --for=windows does not match linux/amd64
there is a named context "Base"; name it "base" to replace the stage, or guard this line with --for or --if`,
		ranges: []string{"4:12-4:19", "5:12-5:16"},
	},
	{
		name:       "variant without a guard that is not the last",
		dockerfile: "FROM alpine AS base\nFROM --for=linux/arm64 debian AS base\nFROM base\n",
		err:        `Dockerfile:1:1: stage "base" has no guard here, so its variant on line 2 is never selected; move this variant below that one, or guard it with --for or --if`,
		ranges:     []string{"1:0-1:19"},
	},
	{
		name:       "reference to a dropped stage",
		opts:       map[string]string{"platform": "linux/amd64"},
		dockerfile: "FROM --for=windows alpine AS tools\nFROM alpine\nCOPY --link \\\n  --from=tools /a /b\nRUN --mount=type=cache,from=tools,target=/x true\n",
		err: `Dockerfile:4:10: stage "tools" has no variant for linux/amd64:
  line 1: --for=windows does not match linux/amd64
add a variant whose guard holds, or one without a guard below the others: FROM … AS tools, or guard this line with --for or --if
Dockerfile:5:29: stage "tools" has no variant for linux/amd64:
  line 1: --for=windows does not match linux/amd64
add a variant whose guard holds, or one without a guard below the others: FROM … AS tools, or guard this line with --for or --if`,
		ranges: []string{"4:9-4:14", "5:28-5:33"},
	},
	{
		name:       "number of a dropped stage",
		opts:       map[string]string{"platform": "linux/amd64"},
		dockerfile: "FROM --for=windows alpine\nFROM alpine\nCOPY --from=0 /a /b\n",
		err:        `Dockerfile:3:13: stage 0 (line 1) is dropped for linux/amd64: --for=windows does not match linux/amd64; refer to the stage by its name, which all variants share`,
		ranges:     []string{"3:12-3:13"},
	},
	{
		name:       "unknown flag beside a guard",
		dockerfile: "FROM alpine\n\nRUN --if=true --netwrk=none \\\n  true\n",
		err:        `dockerfile parse error on line 3: unknown flag: --netwrk (did you mean network?)`,
		ranges:     []string{"3:0-3:0 4:0-4:0"},
	},
	{
		name:       "guard inside a trigger",
		dockerfile: "ARG DEBUG\nFROM alpine\nONBUILD RUN --if=DEBUG gdb\n",
		err:        `Dockerfile:3:13: --if is not allowed inside an ONBUILD trigger, because other builds run it; write ONBUILD --if=DEBUG RUN …`,
		ranges:     []string{"3:12-3:22"},
	},
	{
		name:       "empty expansion",
		dockerfile: "FROM alpine\nARG TOOLS\nCOPY --from=$TOOLS /a /b\n",
		err:        `Dockerfile:3:13: COPY --from=$TOOLS is empty for linux/amd64; set TOOLS with ARG TOOLS=… or --build-arg TOOLS=…, or write ${TOOLS:-STAGE}`,
		ranges:     []string{"3:12-3:18"},
	},
	{
		name:       "unknown name in a reference",
		dockerfile: "ARG TOOLS=a\nFROM alpine\nRUN --mount=from=$TOLLS,target=/x true\n",
		err:        `Dockerfile:3:18: unknown name "TOLLS" in RUN --mount=from; did you mean "TOOLS"?`,
		ranges:     []string{"3:17-3:23"},
	},
	{
		name:       "unterminated quote",
		dockerfile: "ARG DEBUG\nFROM alpine\nRUN --if='DEBUG gdb\n",
		err:        `Dockerfile:3:10: the quote in --if is not closed; close it, or escape it if it is part of the value`,
		ranges:     []string{"3:9-3:10"},
	},
	{
		name:       "target without a variant",
		opts:       map[string]string{"platform": "linux/amd64", "target": "APP"},
		dockerfile: "FROM --for=windows alpine AS app\nFROM alpine\n",
		err: `Dockerfile:1:1: stage "app" has no variant for linux/amd64:
  line 1: --for=windows does not match linux/amd64
add a variant whose guard holds, or one without a guard below the others: FROM … AS app`,
		ranges: []string{"1:0-1:32"},
	},
	{
		name:       "missing target",
		opts:       map[string]string{"target": "apq"},
		dockerfile: "FROM --for=linux alpine AS app\n",
		err:        `target stage "apq" could not be found (did you mean app?)`,
	},
	{
		name:       "missing base image",
		dockerfile: "# comment\nFROM --if=true \\\n  missing\nRUN x\n",
		err:        `missing: docker.io/library/missing:latest: not found`,
		ranges:     []string{"2:0-2:0 3:0-3:0"},
	},
	{
		name:       "carriage returns, a byte-order mark and another escape",
		dockerfile: "\ufeff# escape=`\r\nARG DEBUG\r\nFROM alpine\r\nRUN `\r\n\t--if='DEBUG && `\r\nTYPO' gdb\r\n",
		err:        `Dockerfile:6:1: unknown name "TYPO" in the condition; declare it above with ARG TYPO`,
		ranges:     []string{"6:0-6:4"},
	},
	{
		name:       "errors in the file and for a platform",
		dockerfile: "FROM alpine\nRUN --if=TYPO x\nRUN --for=linux/amr64 x\nIF true\nRUN x\nFROM alpine\nRUN --if=TPYO x\n",
		err: `Dockerfile:2:10: unknown name "TYPO" in the condition; declare it above with ARG TYPO
Dockerfile:3:11: "linux/amr64" matches no platform; did you mean "linux/arm64"?
Dockerfile:4:1: IF has no ENDIF: a stage begins on line 6; write ENDIF where the block ends
Dockerfile:7:10: unknown name "TPYO" in the condition; declare it above with ARG TPYO`,
		ranges: []string{"2:9-2:13", "3:10-3:21", "4:0-4:7", "7:9-7:13"},
	},
	{
		name:       "several errors for several platforms",
		opts:       map[string]string{"platform": "linux/amd64,linux/arm64,windows/amd64,linux/amd64"},
		dockerfile: "FROM --for=windows alpine AS base\nFROM alpine AS app\nRUN --if=TYPO x\nCOPY --from=base a b\n",
		err: `Dockerfile:3:10: unknown name "TYPO" in the condition; declare it above with ARG TYPO
Dockerfile:4:13: stage "base" has no variant for linux/amd64:
  line 1: --for=windows does not match linux/amd64
add a variant whose guard holds, or one without a guard below the others: FROM … AS base, or guard this line with --for or --if
Dockerfile:4:13: stage "base" has no variant for linux/arm64:
  line 1: --for=windows does not match linux/arm64
add a variant whose guard holds, or one without a guard below the others: FROM … AS base, or guard this line with --for or --if`,
		ranges: []string{"3:9-3:13", "4:12-4:16", "4:12-4:16"},
	},
}

func TestRefusals(t *testing.T) {
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			g, got := build(t, frontend.Build, []byte(tt.dockerfile), tt.opts)
			if diff := cmp.Diff(tt.err, got.Error); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			var ranges []string
			for _, s := range got.Sources {
				ranges = append(ranges, strings.Join(s.Ranges, " "))
				if s.File != "Dockerfile" || s.Data != tt.dockerfile {
					t.Errorf("the source is not the user's file: %q", s)
				}
			}
			if diff := cmp.Diff(tt.ranges, ranges); diff != "" {
				t.Errorf("source ranges (-want +got):\n%s", diff)
			}
			if len(g.definitions) > 0 {
				t.Error("a definition was solved")
			}
		})
	}
}

// TestLintRefusals checks that a check reports the same errors in its own result.
func TestLintRefusals(t *testing.T) {
	for _, dockerfile := range []string{
		"ARG DEBUG=0\nFROM alpine\nRUN --if=DEBGU gdb\n",  // an error of planning
		"ARG DEBUG=0\nFROM alpine\nRUN --if='DEBUG gdb\n", // an error of parsing
	} {
		t.Run(dockerfile, func(t *testing.T) {
			_, built := build(t, frontend.Build, []byte(dockerfile), nil)
			_, got := build(t, frontend.Build, []byte(dockerfile), map[string]string{"requestid": "frontend.lint"})
			if got.Error != "" {
				t.Errorf("the check fails: %s", got.Error)
			}
			for _, want := range []string{fmt.Sprintf("%q", built.Error), `"line": 3`, `"character": 9`} {
				if !strings.Contains(got.Metadata["result.json"], want) {
					t.Errorf("the result lacks %s:\n%s", want, got.Metadata["result.json"])
				}
			}
		})
	}
}
