package lint_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/lint"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// check returns what the check rules find, as clients print it, and the error.
func check(t *testing.T, dockerfile, options string) ([]string, error) {
	t.Helper()
	file, err := syntax.Parse(source.NewFile("Dockerfile", []byte(dockerfile)))
	if err != nil {
		t.Fatal(err)
	}
	targets := file.Platforms
	if targets == nil {
		targets = []guard.Platform{platforms.MustParse("linux/amd64")}
	}
	set, err := plan.ResolvePossible(file, plan.Env{Build: platforms.MustParse("linux/amd64")}, plan.Request{Platforms: targets})
	if err != nil {
		t.Fatal(err)
	}
	config, err := linter.ParseLintOptions(options)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	config.Warn = func(rule, _, _, message string, location []parser.Range) {
		found = append(found, linter.LintFormatShort(rule, message, location[0].Start.Line))
	}
	return found, lint.Check(file, set, *config)
}

// TestExamples checks that a rule's bad example breaks the rule, and that the
// good one breaks none.
func TestExamples(t *testing.T) {
	if !slices.IsSortedFunc(lint.Rules(), func(a, b *lint.Rule) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the rules are not sorted by name")
	}
	for _, rule := range lint.Rules() {
		found, err := check(t, rule.Bad, "")
		if err != nil || len(found) == 0 || !strings.HasPrefix(found[0], rule.Name+":") {
			t.Errorf("%s finds %q (%v) in its bad example", rule.Name, found, err)
		}
		found, err = check(t, rule.Good, "")
		if err != nil || len(found) != 0 {
			t.Errorf("%s finds %q (%v) in its good example", rule.Name, found, err)
		}
	}
}

// TestFindings compares what is found in one file: texts, lines and platforms.
func TestFindings(t *testing.T) {
	const dockerfile = `# platforms=linux/amd64,linux/arm64
ARG DEBUG
FROM --for=linux/arm64 busybox AS tools
# check=skip=StageUnavailable
FROM --if=DEBUG busybox AS skipped
FROM --if=DEBUG busybox AS never
FROM --platform=$BUILDPLATFORM busybox AS base
COPY ["--from=x", "/a", "/"]
FROM --for=linux/arm64 --platform=linux/amd64 base AS app
COPY --from=base ["/", "/b"]
FROM --for=linux/arm64 base AS app
FROM base AS app
COPY --if='1 == 2' --from=base /a /. /b
IF platform("linux") && true
COPY --from=3 /x /
ONBUILD COPY --from=4 /y /
ENDIF
FROM scratch AS files
COPY a /
FROM files AS more
ARG ROOT
COPY --from=app "/" /x
COPY --from=app $ROOT /y
COPY --from=files / /
FROM busybox
COPY --from=more / /
COPY --from=busybox::linux/arm64 / /
IF DEBUG
FROM scratch AS twice
FROM busybox AS twice
FROM --for=linux busybox AS twice
ENDIF
FROM busybox AS twice
`
	want := []string{
		`ConstantCondition: The condition 1 == 2 depends on no build arg and no platform (line 13)`,
		`CopyWholeStage: COPY takes all of stage "base", its base image included (for linux/arm64) (line 10)`,
		`CopyWholeStage: COPY takes all of stage "app", its base image included (line 22)`,
		`StagePlatformIgnored: --platform=linux/amd64 is ignored: "base" is a stage; write FROM base::linux/amd64 (for linux/arm64) (line 9)`,
		`StageUnavailable: Stage "tools" cannot be built (for linux/amd64) (line 3)`,
		`StageUnavailable: Stage "never" cannot be built (line 6)`,
		`UnnamedStageReference: COPY --from=3 counts stages (line 15)`,
		`UnnamedStageReference: COPY --from=4 counts stages (line 16)`,
		`UnreachableVariant: The variant on line 9 has the same guard, so that this one is never selected (line 11)`,
		`UnreachableVariant: The variant on line 29 of the same branch has no guard, so that this one is never selected (line 30)`,
		`UnreachableVariant: The variant on line 29 of the same branch has no guard, so that this one is never selected (line 31)`,
	}
	found, err := check(t, dockerfile, "")
	if diff := cmp.Diff(want, found); diff != "" || err != nil {
		t.Errorf("(-want +got):\n%s\n%v", diff, err)
	}
}

// TestUnresolvedOnce compares what is said of references that mean nothing on some of
// several platforms: once, with the platforms.
func TestUnresolvedOnce(t *testing.T) {
	const dockerfile = `# platforms=linux/amd64,linux/arm64,linux/arm
ARG NAME
FROM --for=linux/s390x busybox AS tools
FROM --for=linux/arm64 busybox AS data
FROM --if=NAME busybox
FROM busybox AS extra
COPY --from=tools /a /
COPY --from=data /a /
COPY --from=$NAME /a /
COPY --from=2 /a /
COPY --from=data::linux/s390x /a /
RUN --mount=from=toosl --mount=from=below,target=/x true
FROM busybox AS below
FROM scratch
`
	want := []string{
		`UnresolvedStage: stage "tools" has no variant (line 7)`,
		`UnresolvedStage: stage "data" has no variant (for linux/amd64, linux/arm/v7) (line 8)`,
		`UnresolvedStage: COPY --from=$NAME is empty (line 9)`,
		`UnresolvedStage: stage 2 (line 5) is dropped: --if=NAME is false with NAME = "" (line 10)`,
		`UnresolvedStage: stage "data" has no variant for linux/s390x (line 11)`,
		`UnresolvedStage: no stage is named "toosl" (line 12)`,
		`UnresolvedStage: stage "below" is defined below, on line 13 (line 12)`,
	}
	found, err := check(t, dockerfile, "skip=StageUnavailable,UnnamedStageReference,UndeclaredPlatform")
	if diff := cmp.Diff(want, found); diff != "" || err != nil {
		t.Errorf("(-want +got):\n%s\n%v", diff, err)
	}
}

// TestUnavailableDefault compares what is said of a target that is not there for every
// declared platform.
func TestUnavailableDefault(t *testing.T) {
	const head = "# platforms=linux/amd64,linux/arm64\nFROM busybox AS app\n"
	for dockerfile, want := range map[string][]string{
		"FROM --for=linux/amd64 app AS bench\nRUN --if=true true\n": {
			`ConstantCondition: The condition true depends on no build arg and no platform (line 4)`,
			`StageUnavailable: Stage "bench" cannot be built (for linux/arm64) (line 3)`,
		},
		"FROM --for=linux/amd64 app\n": {`StageUnavailable: The default stage cannot be built (for linux/arm64) (line 3)`},
		"FROM --for=linux/amd64 app AS tools\nFROM app\nCOPY --from=tools /a /\n": {
			`StageUnavailable: Stage "tools" cannot be built (for linux/arm64) (line 3)`,
			`UnresolvedStage: stage "tools" has no variant (for linux/arm64) (line 5)`,
		},
		"# check=skip=StageUnavailable\nFROM --for=linux/amd64 app\n": nil,
		"FROM --for=linux/amd64 app\nFROM app\n":                      nil,
	} {
		found, err := check(t, head+dockerfile, "")
		if diff := cmp.Diff(want, found); diff != "" || err != nil {
			t.Errorf("%s(-want +got):\n%s\n%v", dockerfile, diff, err)
		}
	}
}

// TestOptions skips rules and makes findings errors, as BuildKit's own.
func TestOptions(t *testing.T) {
	const dockerfile = "FROM scratch\nCOPY --if=true a /\n"
	for options, want := range map[string]int{"skip=ConstantCondition": 0, "skip=all": 0, "skip=CopyWholeStage": 1} {
		if found, err := check(t, dockerfile, options); len(found) != want || err != nil {
			t.Errorf("%s finds %q, %v", options, found, err)
		}
	}
	_, err := check(t, dockerfile, "error=true")
	if err == nil || err.Error() != "lint violation found for rules: ConstantCondition" {
		t.Errorf("error=true returns %v", err)
	}
}
