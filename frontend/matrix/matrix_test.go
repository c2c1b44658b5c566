package matrix_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/frontend/matrix"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/selection"
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

// matrixOf returns the matrix of all stages of dockerfile.
func matrixOf(t *testing.T, args map[string]string, names ...string) *matrix.Matrix {
	t.Helper()
	file, err := syntax.Parse(source.NewFile("Dockerfile", []byte("ARG DEBUG\n"+dockerfile)))
	if err != nil {
		t.Fatal(err)
	}
	list, err := platforms.ParseAll(names)
	if err != nil {
		t.Fatal(err)
	}
	env := plan.Env{Build: platforms.MustParse("linux/amd64"), Args: args}
	chosen, err := selection.Select(file, env, selection.Every(file), selection.Platforms{Requested: list})
	if err != nil {
		t.Fatal(err)
	}
	return chosen.Matrix(file)
}

// TestJSON compares the whole JSON. Programs rely on its fields: add some, but never change
// or remove one.
func TestJSON(t *testing.T) {
	m := matrixOf(t, nil, "linux/arm/v7", "windows/amd64")
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
	m := matrixOf(t, map[string]string{"DEBUG": "1"}, "linux/amd64", "linux/arm64", "linux/arm/v7", "linux/ppc64le", "linux/riscv64", "windows/amd64")
	var b strings.Builder
	if err := m.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	const want = `STAGE       PLATFORMS
base        linux/amd64, linux/arm64, linux/arm/v7,
            linux/ppc64le, linux/riscv64
app         linux/amd64, linux/arm64, linux/arm/v7,
            linux/ppc64le, linux/riscv64
tools       windows/amd64
debug       linux/amd64, linux/arm64, linux/arm/v7,
            linux/ppc64le, linux/riscv64
(default)   linux/amd64, linux/arm64, linux/arm/v7,
            linux/ppc64le, linux/riscv64
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := m.Notes()[0]; got != `base is left out for windows/amd64: stage "base" has no variant for windows/amd64` {
		t.Errorf("the first note is %q", got)
	}
}
