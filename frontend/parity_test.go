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

// requests are what each plain file is asked to be built as, or asked for.
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

// TestParityWithBuildKitsFiles builds every Dockerfile that BuildKit's parser is
// tested with, here and in BuildKit.
func TestParityWithBuildKitsFiles(t *testing.T) {
	dockerfiles := corpus.BuildKitDockerfiles(t)
	if len(dockerfiles) < 30 {
		t.Fatalf("found %d Dockerfiles in BuildKit's module, want its whole corpus", len(dockerfiles))
	}
	for _, f := range dockerfiles {
		t.Run(filepath.Base(filepath.Dir(f.Path)), func(t *testing.T) { sameAsBuildKit(t, f.Data, nil) })
	}
}

// TestParityWithPlainFiles builds files with one tricky feature each.
func TestParityWithPlainFiles(t *testing.T) {
	for _, f := range plainFiles {
		t.Run(f.name, func(t *testing.T) {
			for request, o := range sameAsBuildKit(t, []byte(f.dockerfile), f.opts) {
				if o.Error != "" && request != "unknown subrequest" {
					t.Errorf("%s: BuildKit refuses what is meant to build: %s", request, o.Error)
				}
			}
		})
	}
}

// TestParityOfRefusals builds files that BuildKit refuses.
func TestParityOfRefusals(t *testing.T) {
	for _, f := range refusedFiles {
		t.Run(f.name, func(t *testing.T) {
			outcomes := sameAsBuildKit(t, []byte(f.dockerfile), f.opts)
			if outcomes["linux/amd64"].Error == "" {
				t.Error("BuildKit builds what is meant to be refused")
			}
		})
	}
}

// sameAsBuildKit checks that a plain file has the same outcome here as in
// BuildKit's own frontend, whatever is asked. It returns BuildKit's outcomes.
func sameAsBuildKit(t *testing.T, dockerfile []byte, opts map[string]string) map[string]outcome {
	t.Helper()
	file, err := syntax.Parse(source.NewFile("Dockerfile", bytes.Clone(dockerfile)))
	if err != nil || file.IsStaged {
		t.Fatalf("syntax.Parse: uses the language: %t, error: %v", file.IsStaged, err)
	}
	if !bytes.Equal(file.Source.Data, dockerfile) {
		t.Error("syntax.Parse changed the file")
	}
	outcomes := map[string]outcome{}
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		// A client has followed "# syntax=", else BuildKit would forward.
		all := map[string]string{"cmdline": "docker/dockerfile:1"}
		maps.Copy(all, requests[name])
		maps.Copy(all, opts)
		theirs, want := build(t, builder.Build, dockerfile, all)
		ours, got := build(t, frontend.Build, dockerfile, all)
		outcomes[name] = want
		canonical(&want)
		canonical(&got)
		if all["requestid"] != "" && len(want.Sources) == 0 {
			// BuildKit does not say where the error of a subrequest is.
			got.Sources = nil
		}
		if want.Error != "" {
			// How much of the other platforms BuildKit gets to see first is chance.
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

// violations is the error of a check that is to fail.
var violations = regexp.MustCompile(`lint violation found for rules: [A-Za-z, ]+`)

// canonical takes away what differs from run to run in BuildKit: the order of
// args in an outline, of the warnings of one line, and of rules in an error.
func canonical(o *outcome) {
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
