package selection

import (
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

const file = `# platforms=linux/amd64,linux/arm64,windows/amd64
FROM --for=linux a AS base
FROM base AS test-unit
FROM --for=amd64 a AS test-arch
FROM a AS app-debug
FROM a AS App
`

func parse(t *testing.T, text string) *syntax.File {
	t.Helper()
	f, err := syntax.Parse(source.NewFile("Dockerfile", []byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSelect(t *testing.T) {
	for _, test := range []struct {
		stages    string
		platforms string
		want      string // results, then notes, in lines
	}{
		{"", "", "default:"},
		{"app", "", "app:"},
		{"APP,test-unit,app", "", "APP:\ntest-unit:"},
		{"app*,App,!APP-*", "", "App:"},
		{"test-*", "linux/amd64", "test-unit: linux/amd64\ntest-arch: linux/amd64"},
		{"test-*", "linux/arm64", "test-unit: linux/arm64\n" +
			`- test-arch is left out for linux/arm64: stage "test-arch" has no variant for linux/arm64`},
		{"test-*,app", "linux/arm64", "test-unit: linux/arm64\napp: linux/arm64\n" +
			`- test-arch is left out for linux/arm64: stage "test-arch" has no variant for linux/arm64`},
		{"!*-debug", "linux/amd64", "base: linux/amd64\ntest-unit: linux/amd64\ntest-arch: linux/amd64\napp: linux/amd64"},
		{"app*,!*-debug", "linux/amd64", "app: linux/amd64"},
		{"test-unit", "all", "test-unit: linux/amd64 linux/arm64\n" +
			`- test-unit is left out for windows/amd64: stage "base" has no variant for windows/amd64`},
		{"", "all,linux/riscv64", "default: linux/riscv64 linux/amd64 linux/arm64 windows/amd64"},
	} {
		t.Run(test.stages+" "+test.platforms, func(t *testing.T) {
			s, err := choose(parse(t, file), test.stages, test.platforms)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, r := range s.Results {
				name := r.Stage
				if name == "" {
					name = "default"
				}
				fmt.Fprintf(&b, "%s:", name)
				for _, p := range r.Platforms {
					fmt.Fprintf(&b, " %s", guard.FormatPlatform(p))
				}
				b.WriteByte('\n')
			}
			for _, n := range s.Notes {
				fmt.Fprintf(&b, "- %s\n", n)
			}
			if diff := cmp.Diff(test.want+"\n", b.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSelectReportsAllDiagnostics selects from invalid files: the error has the
// diagnostics of the selected stages, and no others.
func TestSelectReportsAllDiagnostics(t *testing.T) {
	const guards = "FROM --if=A a\nARG B=$HOME\nCOPY --if=B a /\n"
	const references = "# platforms=linux/amd64,linux/arm64\nFROM a AS base\nRUN --if=TYPO x\nFROM bass AS app\nFROM baze AS other\n"
	for _, test := range []struct {
		name, text, stages, platforms string
		want                          []string
	}{
		{"a stage with an invalid reference", references, "app", "all", []string{"TYPO", `"bass"`}},
		{"a stage without", references, "base", "all", []string{"TYPO"}},
		{"all stages", references, "*", "all", []string{"TYPO", `"bass"`, `"baze"`}},
		{"a guard on an undeclared name", guards, "", "linux/amd64", []string{`"A"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := choose(parse(t, test.text), test.stages, test.platforms)
			found := source.Diagnostics(err)
			if len(found) != len(test.want) {
				t.Fatalf("%v, want %q", err, test.want)
			}
			for i, d := range found {
				if !strings.Contains(d.Message, test.want[i]) {
					t.Errorf("%v, want %s", d, test.want[i])
				}
			}
		})
	}
}

// TestSelectForCheck leaves the declared platforms to the check, unless the user adds others.
func TestSelectForCheck(t *testing.T) {
	f := parse(t, file)
	arm64, riscv64 := platforms.MustParse("linux/arm64"), platforms.MustParse("linux/riscv64")
	for _, test := range []struct {
		name      string
		platforms Platforms
		want      string // the platforms, or the error
	}{
		{"no platforms", Platforms{}, "[]"},
		{"declared", Platforms{All: true}, "[]"},
		{"declared, and one of them", Platforms{All: true, Requested: []guard.Platform{arm64}}, `stage "test-arch" has no variant for linux/arm64`},
		{"declared, and another one", Platforms{All: true, Requested: []guard.Platform{riscv64}}, `stage "test-arch" has no variant for linux/riscv64`},
		{"by name", Platforms{Requested: []guard.Platform{arm64}}, `stage "test-arch" has no variant for linux/arm64`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got string
			if s, err := SelectForCheck(f, plan.Env{Build: platforms.MustParse("linux/amd64")}, Stage("test-arch"), test.platforms); err != nil {
				got = err.Error()
			} else {
				got = fmt.Sprint(s.Results[0].Platforms)
			}
			if !strings.Contains(got, test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestTypedCase selects a stage in the user's case, which TARGETSTAGE keeps.
func TestTypedCase(t *testing.T) {
	f := parse(t, "FROM --if='TARGETSTAGE == \"APP\"' a AS base\nFROM base AS app\nFROM a\n")
	s, err := choose(f, "APP", "linux/amd64")
	if err != nil || len(s.Results) != 1 || s.Results[0].Stage != "APP" {
		t.Errorf("APP: %v, %+v", err, s)
	}
	if _, err := choose(f, "app", "linux/amd64"); err == nil || !strings.Contains(err.Error(), `with TARGETSTAGE = "app"`) {
		t.Errorf("app: %v", err)
	}
	names, err := Patterns{{text: "APP"}}.Names(f)
	if err != nil || len(names) != 1 || names[0] != "app" {
		t.Errorf("the file's names are %v, %v", names, err)
	}
}

func TestEvery(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"named stages", file, "base test-unit test-arch app-debug app"},
		{"one unnamed stage", "FROM a\n", "default"},
		{"an unnamed last stage", "FROM a AS one\nFROM b\n", "one default"},
		{"a named last stage", "FROM a AS one\nFROM b AS two\n", "one two"},
		{"variants", "FROM --for=linux a AS one\nFROM b AS one\n", "one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := parse(t, test.text)
			s, err := Select(f, plan.Env{Build: platforms.MustParse("linux/amd64")}, Every(f), Platforms{})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, r := range s.Results {
				if r.Stage == "" {
					r.Stage = "default"
				}
				names = append(names, r.Stage)
			}
			if got := strings.Join(names, " "); got != test.want {
				t.Errorf("stages are %s, want %s", got, test.want)
			}
			if len(s.Platforms) != 1 || s.Platforms[0].Architecture != "amd64" {
				t.Errorf("platforms are %v", s.Platforms)
			}
		})
	}
}

func TestSelectRefuses(t *testing.T) {
	const unnamed = "FROM a\n"
	for _, test := range []struct {
		text, stages, platforms string
		want                    string
	}{
		{file, "ap", "", `no stage is named "ap"; did you mean "app"?`},
		{file, "zzzzz", "", `no stage is named "zzzzz"; the stages are base, test-unit, test-arch, app-debug, app`},
		{file, "x-*", "", `no stage matches "x-*"; the stages are base, `},
		{file, "!x-*", "", `no stage matches "x-*"`},
		{file, "app,!a*", "", `!a* excludes every selected stage`},
		{file, "test-arch", "linux/arm64", `Dockerfile:4:1: stage "test-arch" has no variant for linux/arm64:`},
		{file, "test-arch,app", "linux/arm64,linux/amd64", `Dockerfile:4:1: stage "test-arch" has no variant`},
		{file, "test-arc*", "linux/arm64", "none of the requested stages can be built:\ntest-arch is left out for linux/arm64"},
		{file, "test-arc*", "linux/arm64", "test-arch is left out for linux/arm64: Dockerfile:4:1: stage \"test-arch\" has no variant for linux/arm64:\n  line 4: --for"},
		{unnamed, "", "all", `platform "all" means the platforms that the file declares, and it declares none`},
		{unnamed, "x", "", `the stages of the file have no names`},
	} {
		t.Run(test.stages+" "+test.platforms, func(t *testing.T) {
			_, err := choose(parse(t, test.text), test.stages, test.platforms)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
		})
	}
}

func choose(f *syntax.File, stages, wanted string) (*Selection, error) {
	var patterns Patterns
	var err error
	if stages != "" {
		if patterns, err = ParsePatterns(stages); err != nil {
			return nil, err
		}
	}
	var p Platforms
	for name := range strings.SplitSeq(wanted, ",") {
		switch name {
		case "":
		case "all":
			p.All = true
		default:
			p.Requested = append(p.Requested, platforms.MustParse(name))
		}
	}
	return Select(f, plan.Env{Build: platforms.MustParse("linux/amd64")}, patterns, p)
}

func TestParsePatterns(t *testing.T) {
	for list, want := range map[string]string{
		"a,":    `"a," has an empty stage name`,
		"!":     `"!" has an empty stage name`,
		"a,[b":  `invalid pattern "[b"`,
		"a, !b": "",
	} {
		t.Run(list, func(t *testing.T) {
			_, err := ParsePatterns(list)
			if got := fmt.Sprint(err); want != "" && !strings.Contains(got, want) || want == "" && err != nil {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

func TestName(t *testing.T) {
	for list, want := range map[string]string{"a": "a", "a,b": "", "!a": "", "a*": ""} {
		t.Run(list, func(t *testing.T) {
			p, err := ParsePatterns(list)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := p.Name(); got != want || ok != (want != "") {
				t.Errorf("%q, %t", got, ok)
			}
		})
	}
	if name, ok := Patterns(nil).Name(); name != "" || !ok {
		t.Error("no patterns are the default stage")
	}
}
