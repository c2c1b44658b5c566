package plan_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/stagebuild/stagebuild/frontend/corpus"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// TestCorpus plans and lowers the files of testdata/*.txtar. The name of an expectation is
// an environment, for example
//
//	linux/arm64 DEBUG=1 --target=app --context=base
//
// Its text is the lowered file, or the diagnostics with their snippets.
func TestCorpus(t *testing.T) {
	corpus.Run(t, "testdata/*.txtar", func(t *testing.T, a corpus.Archive, environment string) string {
		return outcome(t, a.Dockerfile(), environment)
	})
}

// outcome lowers a file for an environment. It returns the lowered file, with carriage
// returns and the byte-order mark made visible, or the diagnostics.
func outcome(t *testing.T, dockerfile []byte, name string) string {
	file, syntaxErr := syntax.Parse(source.NewFile("Dockerfile", dockerfile))
	if !file.IsStaged {
		return "plain\n"
	}
	environment := corpus.ParseEnvironment(t, name)
	env := plan.Env{Build: environment.Build, Args: environment.Args, Contexts: environment.Contexts}
	set, err := plan.Resolve(file, env, plan.Request{Stage: environment.Stage, Platforms: environment.Platforms[:1]})
	if err != nil {
		return diagnostics(err)
	}
	p := set.Targets[0]
	if syntaxErr != nil {
		t.Errorf("Resolve accepts an invalid file: %v", syntaxErr)
	}
	lowered := plan.Lower(p.Plan)
	if got, want := bytes.Count(lowered, []byte("\n")), bytes.Count(dockerfile, []byte("\n")); got != want {
		t.Errorf("lowered file has %d line breaks, want %d", got, want)
	}
	if _, err := parser.Parse(bytes.NewReader(lowered)); err != nil {
		t.Errorf("BuildKit does not parse the lowered file: %v", err)
	}
	var out strings.Builder
	if p.Name != "" {
		fmt.Fprintf(&out, "target: %s\n", p.Name)
	}
	text := strings.ReplaceAll(string(lowered), "\r\n", "␍\n")
	out.WriteString(strings.ReplaceAll(text, "\ufeff", "[bom]"))
	return out.String()
}

func diagnostics(err error) string {
	var out strings.Builder
	for _, d := range source.Diagnostics(err) {
		fmt.Fprintf(&out, "%s (%s)\n%s\n", d.Error(), d.Name, strings.ReplaceAll(d.Snippet(), "\r", ""))
	}
	return out.String()
}
