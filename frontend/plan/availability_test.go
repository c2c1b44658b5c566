package plan_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/frontend/corpus"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

func TestAvailable(t *testing.T) {
	for _, test := range []struct {
		name, dockerfile string
		args             map[string]string
		want             string // "stage: platforms" in lines
	}{
		{"a plain file", "FROM a AS one\nFROM b\n", nil, `
one: linux/amd64 linux/arm64 windows/amd64
default: linux/amd64 linux/arm64 windows/amd64`},
		{"reached stages count", `FROM --for=linux a AS base
FROM --for=arm64 a AS tools
FROM --for=linux base AS one
FROM b AS two
COPY --from=tools / /
FROM base AS three
COPY --from=tools::linux/arm64 / /
`, nil, `
base: linux/amd64 linux/arm64
tools: linux/arm64
one: linux/amd64 linux/arm64
two: linux/arm64
three: linux/amd64 linux/arm64
default: linux/amd64 linux/arm64`},
		{"args", "ARG DEBUG\nFROM --if=DEBUG a AS debug\nFROM b AS app\n", map[string]string{"DEBUG": "1"}, `
debug: linux/amd64 linux/arm64 windows/amd64
app: linux/amd64 linux/arm64 windows/amd64
default: linux/amd64 linux/arm64 windows/amd64`},
		{"a stage that depends on the target", `FROM --if='TARGETSTAGE == "app"' a AS base
FROM base AS app
FROM base AS other
`, nil, `
base:
app: linux/amd64 linux/arm64 windows/amd64
other:
default:`},
		{"needs", "FROM --for=linux a AS test\nFROM --needs=test b AS release\n", nil, `
test: linux/amd64 linux/arm64
release: linux/amd64 linux/arm64
default: linux/amd64 linux/arm64`},
		{"a default without a name", "FROM a AS one\nFROM --for=windows one\n", nil, `
one: linux/amd64 linux/arm64 windows/amd64
default: windows/amd64`},
	} {
		t.Run(test.name, func(t *testing.T) {
			file, err := syntax.Parse(source.NewFile("Dockerfile", []byte(test.dockerfile)))
			if err != nil {
				t.Fatal(err)
			}
			targets := []guard.Platform{
				platforms.MustParse("linux/amd64"), platforms.MustParse("linux/arm64"), platforms.MustParse("windows/amd64"),
			}
			a, err := plan.Available(file, plan.Env{Build: targets[0], Args: test.args}, targets)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, name := range append(file.StageNames(), "") {
				if b.WriteString("\n" + name); name == "" {
					b.WriteString("default")
				}
				b.WriteByte(':')
				for i, p := range targets {
					if len(a.Diagnostics(name, i)) == 0 {
						b.WriteString(" " + guard.FormatPlatform(p))
					}
				}
			}
			if diff := cmp.Diff(test.want, b.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAvailabilityDiagnostics(t *testing.T) {
	file, err := syntax.Parse(source.NewFile("Dockerfile", []byte("FROM --for=linux a AS base\nFROM base AS app\n")))
	if err != nil {
		t.Fatal(err)
	}
	a, err := plan.Available(file, plan.Env{}, []guard.Platform{platforms.MustParse("windows/amd64")})
	if err != nil {
		t.Fatal(err)
	}
	for stage, want := range map[string]string{"base": "Dockerfile:1:", "app": "Dockerfile:2:6:"} {
		t.Run(stage, func(t *testing.T) {
			got := fmt.Sprint(a.Diagnostics(stage, 0))
			if !strings.HasPrefix(got, want) || !strings.Contains(got, "line 1: --for=linux does not match windows/amd64") {
				t.Error(got)
			}
		})
	}
}

func TestAvailableInvalidFile(t *testing.T) {
	for _, test := range []struct {
		name, dockerfile string
		diagnostics      int
	}{
		{"guards", "FROM --if=TYPO a AS base\nFROM --if=OTHER base AS app\n", 2},
		{"a guard and syntax", "FROM --if=TYPO a AS base\nFROM --for=linux/amr64 base AS app\n", 2},
		{"an open quote", "FROM --if=TYPO a AS base\nFROM --if='OTHER base AS app\n", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			file, _ := syntax.Parse(source.NewFile("Dockerfile", []byte(test.dockerfile)))
			_, err := plan.Available(file, plan.Env{}, []guard.Platform{platforms.MustParse("linux/amd64")})
			if got := len(source.Diagnostics(err)); got != test.diagnostics {
				t.Errorf("%d diagnostics, want %d: %v", got, test.diagnostics, err)
			}
		})
	}
}

// availableTargets are the platforms of TestAvailabilitySet.
func availableTargets() []guard.Platform {
	return []guard.Platform{platforms.MustParse("linux/amd64"), platforms.MustParse("linux/arm64"), platforms.MustParse("windows/amd64")}
}

// TestAvailabilitySet compares the sets of one Availability with those of Resolve and
// ResolvePossible, for each stage in the files of the corpus.
func TestAvailabilitySet(t *testing.T) {
	targets := availableTargets()
	compared, failed := 0, 0
	for _, a := range corpus.Archives(t, "testdata/*.txtar") {
		file, _ := syntax.Parse(source.NewFile("Dockerfile", a.Dockerfile()))
		for _, expectation := range a.Expectations() {
			t.Run(filepath.Base(a.Path)+"/"+expectation.Name, func(t *testing.T) {
				environment := corpus.ParseEnvironment(t, expectation.Name)
				env := plan.Env{Build: targets[0], Args: environment.Args, Contexts: environment.Contexts}
				available, err := plan.Available(file, env, targets)
				if err != nil {
					return // The file is invalid for every stage.
				}
				for _, stage := range append(file.StageNames(), "") {
					for _, platforms := range [][]guard.Platform{targets[1:], targets} {
						set, err := plan.Resolve(file, env, plan.Request{Stage: stage, Platforms: platforms})
						if err != nil {
							failed++
						}
						if diff := cmp.Diff(describe(set, err), describe(available.Set(stage, platforms))); diff != "" {
							t.Errorf("stage %q (-want +got):\n%s", stage, diff)
						}
						compared++
					}
					set, err := plan.ResolvePossible(file, env, plan.Request{Stage: stage, Platforms: targets})
					if diff := cmp.Diff(describe(available.Set(stage, possible(available, stage))), describe(set, err)); diff != "" {
						t.Errorf("stage %q, ResolvePossible (-want +got):\n%s", stage, diff)
					}
				}
			})
		}
	}
	if compared < 100 || failed == 0 || failed == compared {
		t.Errorf("%d sets were compared, of which %d are errors", compared, failed)
	}
}

// possible returns the platforms that a stage can be built for, or all if there are none.
func possible(a *plan.Availability, stage string) []guard.Platform {
	var list []guard.Platform
	for i, platform := range availableTargets() {
		if len(a.Diagnostics(stage, i)) == 0 {
			list = append(list, platform)
		}
	}
	if len(list) == 0 {
		return availableTargets()
	}
	return list
}

// describe returns the contents of a set as text, or the error.
func describe(set *plan.Set, err error) string {
	if err != nil {
		return diagnostics(err)
	}
	var b strings.Builder
	for _, target := range set.Targets {
		fmt.Fprintf(&b, "for %s %q:", guard.FormatPlatform(target.Platform), target.Name)
		for _, c := range []*plan.Choice{target.Choice, target.Default} {
			if c != nil {
				fmt.Fprintf(&b, " stage %d", c.Stage.Index)
			}
		}
		fmt.Fprintf(&b, "\n%s\n%v\n", plan.Lower(target.Plan), target.Unreached)
	}
	for _, in := range set.Inputs {
		fmt.Fprintf(&b, "input %s\n", in.Name)
	}
	for _, c := range set.Needs {
		fmt.Fprintf(&b, "needs %d for %s\n", c.Stage.Index, guard.FormatPlatform(c.Plan.Platform))
	}
	fmt.Fprintln(&b, set.HasTriggers, set.Warnings)
	return b.String()
}
