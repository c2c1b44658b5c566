//go:build !race

// BuildKit's frontend has data races of its own: it writes resolvecache.go's
// CacheError in every call, and the linter's configuration in every platform.

package frontend_test

import (
	"bytes"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/builder"

	"github.com/stagebuild/stagebuild/frontend"
	"github.com/stagebuild/stagebuild/frontend/corpus"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// requests are the options of the builds and subrequests for each plain Dockerfile.
var requests = map[string]map[string]string{
	"build for the worker": {},
	"linux/amd64":          {"platform": "linux/amd64"},
	"linux/arm64":          {"platform": "linux/arm64"},
	"windows/amd64":        {"platform": "windows/amd64"},
	"several platforms":    {"platform": "linux/amd64,linux/arm/v7,windows/amd64"},
	"outline":              {"requestid": "frontend.outline"},
	"targets":              {"requestid": "frontend.targets"},
	"lint":                 {"requestid": "frontend.lint"},
	"convertllb":           {"requestid": "frontend.convertllb"},
	"unknown subrequest":   {"requestid": "frontend.unknown"},
}

// TestParityWithBuildKitsFiles compares both frontends for the Dockerfiles of BuildKit's
// parser tests.
func TestParityWithBuildKitsFiles(t *testing.T) {
	dockerfiles := corpus.BuildKitDockerfiles(t)
	if len(dockerfiles) < 30 {
		t.Fatalf("found %d Dockerfiles in BuildKit's module, want its whole corpus", len(dockerfiles))
	}
	for _, f := range dockerfiles {
		t.Run(filepath.Base(filepath.Dir(f.Path)), func(t *testing.T) { compareWithBuildKit(t, f.Data, nil) })
	}
}

// TestParityWithPlainFiles compares both frontends for Dockerfiles that BuildKit builds.
func TestParityWithPlainFiles(t *testing.T) {
	for _, f := range plainFiles {
		t.Run(f.name, func(t *testing.T) {
			for request, o := range compareWithBuildKit(t, []byte(f.dockerfile), f.opts) {
				if o.Error != "" && request != "unknown subrequest" {
					t.Errorf("%s: BuildKit refuses the file: %s", request, o.Error)
				}
			}
		})
	}
}

// TestParityOfRefusals compares both frontends for Dockerfiles that BuildKit refuses.
func TestParityOfRefusals(t *testing.T) {
	for _, f := range refusedFiles {
		t.Run(f.name, func(t *testing.T) {
			outcomes := compareWithBuildKit(t, []byte(f.dockerfile), f.opts)
			if outcomes["linux/amd64"].Error == "" {
				t.Error("BuildKit does not refuse the file")
			}
		})
	}
}

// compareWithBuildKit checks that all requests for a plain Dockerfile have the same
// outcome in this frontend and in BuildKit's. It returns BuildKit's outcomes.
func compareWithBuildKit(t *testing.T, dockerfile []byte, opts map[string]string) map[string]outcome {
	t.Helper()
	file, err := syntax.Parse(source.NewFile("Dockerfile", bytes.Clone(dockerfile)))
	if err != nil || file.IsStaged {
		t.Fatalf("syntax.Parse: staged: %t, error: %v", file.IsStaged, err)
	}
	if !bytes.Equal(file.Source.Data, dockerfile) {
		t.Error("syntax.Parse changed the file")
	}
	outcomes := map[string]outcome{}
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		// With this option, BuildKit does not forward the request for "# syntax=".
		all := map[string]string{"cmdline": "docker/dockerfile:1"}
		maps.Copy(all, requests[name])
		maps.Copy(all, opts)
		theirs, want := build(t, builder.Build, dockerfile, all)
		ours, got := build(t, frontend.Build, dockerfile, all)
		outcomes[name] = want
		canonicalize(&want)
		canonicalize(&got)
		if all["requestid"] != "" && len(want.Sources) == 0 {
			// BuildKit gives no source for the error of a subrequest.
			got.Sources = nil
		}
		if want.Error != "" {
			// How many platforms are solved before the error is random.
			want.Definitions, got.Definitions = nil, nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-BuildKit +ours):\n%s", name, diff)
		}
		if diff := cmp.Diff(theirs.configs, ours.configs); diff != "" {
			t.Errorf("%s: requests for image configs (-BuildKit +ours):\n%s", name, diff)
		}
	}
	return outcomes
}

// violations matches the error for violations of check rules.
var violations = regexp.MustCompile(`lint violation found for rules: [A-Za-z, ]+`)

// canonicalize sorts the parts of an outcome whose order is random in BuildKit: args in an
// outline, warnings about one line, and rules in an error.
func canonicalize(o *outcome) {
	o.Error = violations.ReplaceAllStringFunc(o.Error, sortedWords)
	for _, key := range []string{"result.json", "result.txt"} {
		if text, ok := o.Metadata[key]; ok {
			lines := strings.Split(violations.ReplaceAllStringFunc(text, sortedWords), "\n")
			for i, line := range lines {
				lines[i] = strings.TrimSuffix(line, ",")
			}
			slices.Sort(lines)
			o.Metadata[key] = strings.Join(lines, "\n")
		}
	}
}

func sortedWords(s string) string {
	words := strings.Fields(strings.ReplaceAll(s, ",", ""))
	slices.Sort(words)
	return strings.Join(words, " ")
}
