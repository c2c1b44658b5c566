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

// check returns the findings of the check rules as clients print them, and the error.
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

// TestExamples checks that the bad example of a rule violates the rule, and that the good
// one violates no rule.
func TestExamples(t *testing.T) {
	if !slices.IsSortedFunc(lint.Rules(), func(a, b *lint.Rule) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the rules are not sorted by name")
	}
	for _, rule := range lint.Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			found, err := check(t, rule.Bad, "")
			if err != nil || len(found) == 0 || !strings.HasPrefix(found[0], rule.Name+":") {
				t.Errorf("the bad example has %q (%v)", found, err)
			}
			found, err = check(t, rule.Good, "")
			if err != nil || len(found) != 0 {
				t.Errorf("the good example has %q (%v)", found, err)
			}
		})
	}
}

// TestFindings compares the texts, lines and platforms of all findings in one file.
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
		`ConstantCondition: The condition 1 == 2 has the same value in every build; use a build arg or the platform in it, or remove it (line 13)`,
		`CopyWholeStage: COPY copies all of stage "base", including its base image (for linux/arm64); copy only the paths that are needed (line 10)`,
		`CopyWholeStage: COPY copies all of stage "app", including its base image; copy only the paths that are needed (line 22)`,
		`StagePlatformIgnored: --platform=linux/amd64 is ignored, because "base" is a stage (for linux/arm64); write FROM base::linux/amd64 (line 9)`,
		`StageUnavailable: Stage "tools" cannot be built (for linux/amd64); add a variant whose guard holds (line 3)`,
		`StageUnavailable: Stage "never" cannot be built; add a variant whose guard holds (line 6)`,
		`UnnamedStageReference: COPY --from=3 means another stage once a FROM is added above; name the stage with AS, and write --from=NAME (line 15)`,
		`UnnamedStageReference: COPY --from=4 means another stage once a FROM is added above; name the stage with AS, and write --from=NAME (line 16)`,
		`UnreachableVariant: This variant is never selected: the one on line 9 has the same guard; change its guard, or remove it (line 11)`,
		`UnreachableVariant: This variant is never selected: the one on line 29 of the same branch has no guard; move this variant above it, or remove it (line 30)`,
		`UnreachableVariant: This variant is never selected: the one on line 29 of the same branch has no guard; move this variant above it, or remove it (line 31)`,
	}
	found, err := check(t, dockerfile, "")
	if diff := cmp.Diff(want, found); diff != "" || err != nil {
		t.Errorf("(-want +got):\n%s\n%v", diff, err)
	}
}

// TestUnresolvedOnce checks that a reference that is invalid on some of the platforms is
// reported once, with these platforms.
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
		`UnresolvedStage: stage "tools" has no variant; add a variant whose guard holds, or one without a guard below the others: FROM … AS tools, or guard this line with --for or --if (line 7)`,
		`UnresolvedStage: stage "data" has no variant (for linux/amd64, linux/arm/v7); add a variant whose guard holds, or one without a guard below the others: FROM … AS data, or guard this line with --for or --if (line 8)`,
		`UnresolvedStage: COPY --from=$NAME is empty; set NAME with ARG NAME=… or --build-arg NAME=…, or write ${NAME:-STAGE} (line 9)`,
		`UnresolvedStage: stage 2 (line 5) is dropped: --if=NAME is false with NAME = ""; refer to the stage by its name, which all variants share (line 10)`,
		`UnresolvedStage: stage "data" has no variant for linux/s390x; add a variant whose guard holds, or one without a guard below the others: FROM … AS data, or guard this line with --for or --if (line 11)`,
		`UnresolvedStage: no stage is named "toosl"; did you mean "tools"? (for an image, write "toosl:latest") (line 12)`,
		`UnresolvedStage: stage "below" is defined below, on line 13; move it above the stage that uses it (line 12)`,
	}
	found, err := check(t, dockerfile, "skip=StageUnavailable,UnnamedStageReference,UndeclaredPlatform")
	if diff := cmp.Diff(want, found); diff != "" || err != nil {
		t.Errorf("(-want +got):\n%s\n%v", diff, err)
	}
}

// TestUnavailableDefault checks the findings about a default target that is dropped for
// some of the declared platforms.
func TestUnavailableDefault(t *testing.T) {
	const head = "# platforms=linux/amd64,linux/arm64\nFROM busybox AS app\n"
	for dockerfile, want := range map[string][]string{
		"FROM --for=linux/amd64 app AS bench\nRUN --if=true true\n": {
			`ConstantCondition: The condition true has the same value in every build; use a build arg or the platform in it, or remove it (line 4)`,
			`StageUnavailable: Stage "bench" cannot be built (for linux/arm64); add a variant whose guard holds (line 3)`,
		},
		"FROM --for=linux/amd64 app\n": {`StageUnavailable: The default stage cannot be built (for linux/arm64); give it a name, and add a variant whose guard holds (line 3)`},
		"FROM --for=linux/amd64 app AS tools\nFROM app\nCOPY --from=tools /a /\n": {
			`StageUnavailable: Stage "tools" cannot be built (for linux/arm64); add a variant whose guard holds (line 3)`,
			`UnresolvedStage: stage "tools" has no variant (for linux/arm64); add a variant whose guard holds, or one without a guard below the others: FROM … AS tools, or guard this line with --for or --if (line 5)`,
		},
		"# check=skip=StageUnavailable\nFROM --for=linux/amd64 app\n": nil,
		"FROM --for=linux/amd64 app\nFROM app\n":                      nil,
	} {
		t.Run(dockerfile, func(t *testing.T) {
			found, err := check(t, head+dockerfile, "")
			if diff := cmp.Diff(want, found); diff != "" || err != nil {
				t.Errorf("(-want +got):\n%s\n%v", diff, err)
			}
		})
	}
}

// TestOptions checks that the options of "# check=" skip rules and make findings errors.
func TestOptions(t *testing.T) {
	const dockerfile = "FROM scratch\nCOPY --if=true a /\n"
	for options, want := range map[string]int{"skip=ConstantCondition": 0, "skip=all": 0, "skip=CopyWholeStage": 1} {
		t.Run(options, func(t *testing.T) {
			if found, err := check(t, dockerfile, options); len(found) != want || err != nil {
				t.Errorf("found %q, %v", found, err)
			}
		})
	}
	_, err := check(t, dockerfile, "error=true")
	if err == nil || err.Error() != "lint violation found for rules: ConstantCondition" {
		t.Errorf("error=true returns %v", err)
	}
}
