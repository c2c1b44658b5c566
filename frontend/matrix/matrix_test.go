package matrix_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/matrix"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

const dockerfile = `# What both have.
FROM --for=linux a AS base
FROM base AS App
# app for Windows.
FROM --for=windows b AS tools
FROM --if=DEBUG base AS debug
FROM base
`

// of multiplies a file with platforms.
func of(t *testing.T, text string, args map[string]string, stages []string, names ...string) (*matrix.Matrix, error) {
	t.Helper()
	file, err := syntax.Parse(source.NewFile("Dockerfile", []byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	var list []guard.Platform
	for _, name := range names {
		list = append(list, platforms.MustParse(name))
	}
	return matrix.Of(file, plan.Env{Build: platforms.MustParse("linux/amd64"), Args: args}, stages, list)
}

// TestJSON shows the schema: fields are added to it, and never change.
func TestJSON(t *testing.T) {
	m, err := of(t, "ARG DEBUG\n"+dockerfile, nil, nil, "linux/arm/v7", "windows/amd64")
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
 "file": "Dockerfile",
 "platforms": [
  "linux/arm/v7",
  "windows/amd64"
 ],
 "stages": [
  {
   "stage": "base",
   "description": "What both have",
   "default": false,
   "platforms": [
    "linux/arm/v7"
   ]
  },
  {
   "stage": "app",
   "default": false,
   "platforms": [
    "linux/arm/v7"
   ]
  },
  {
   "stage": "tools",
   "description": "app for Windows",
   "default": false,
   "platforms": [
    "windows/amd64"
   ]
  },
  {
   "stage": "",
   "default": true,
   "platforms": [
    "linux/arm/v7"
   ]
  }
 ],
 "impossible": [
  {
   "stage": "base",
   "platform": "windows/amd64",
   "reason": "stage \"base\" has no variant for windows/amd64"
  },
  {
   "stage": "app",
   "platform": "windows/amd64",
   "reason": "stage \"base\" has no variant for windows/amd64"
  },
  {
   "stage": "tools",
   "platform": "linux/arm/v7",
   "reason": "stage \"tools\" has no variant for linux/arm/v7"
  },
  {
   "stage": "debug",
   "platform": "linux/arm/v7",
   "reason": "stage \"debug\" has no variant for linux/arm/v7"
  },
  {
   "stage": "debug",
   "platform": "windows/amd64",
   "reason": "stage \"debug\" has no variant for windows/amd64"
  },
  {
   "stage": "",
   "platform": "windows/amd64",
   "reason": "stage \"base\" has no variant for windows/amd64"
  }
 ]
}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTable(t *testing.T) {
	m, err := of(t, "ARG DEBUG\n"+dockerfile, map[string]string{"DEBUG": "1"}, []string{"DEBUG", "tools", ""},
		"linux/amd64", "linux/arm64", "linux/arm/v7", "linux/ppc64le", "linux/riscv64", "windows/amd64")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := m.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	const want = `STAGE       PLATFORMS
debug       linux/amd64, linux/arm64, linux/arm/v7,
            linux/ppc64le, linux/riscv64
tools       windows/amd64
(default)   linux/amd64, linux/arm64, linux/arm/v7,
            linux/ppc64le, linux/riscv64
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := m.Notes()[0]; got != `debug is left out for windows/amd64: stage "base" has no variant for windows/amd64` {
		t.Errorf("the first note is %q", got)
	}
}

func TestStages(t *testing.T) {
	for text, want := range map[string]string{
		"FROM a\n":                                   `[""]`,
		"FROM a AS one\nFROM b AS two\n":             `["one" "two"]`,
		"FROM a AS one\nFROM b\n":                    `["one" ""]`,
		"FROM --for=linux a AS one\nFROM b AS one\n": `["one"]`,
		"ARG A=1\n":                                  `[]`,
	} {
		file, err := syntax.Parse(source.NewFile("Dockerfile", []byte(text)))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%q", matrix.Stages(file)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	for stage, want := range map[string]string{
		"aap":  `no stage is named "aap"; did you mean "app"?`,
		"zzzz": `no stage is named "zzzz"`,
	} {
		if _, err := of(t, "ARG DEBUG\n"+dockerfile, nil, []string{stage}, "linux/amd64"); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", stage, err, want)
		}
	}
	_, err := of(t, "FROM --if=A a\nARG B=$HOME\nCOPY --if=B a /\n", map[string]string{}, nil, "linux/amd64")
	if got := source.Diagnostics(err); len(got) == 0 {
		t.Errorf("a condition on nothing: %v", err)
	}
}
