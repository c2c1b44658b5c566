package plan_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata")

// TestCorpus runs testdata/*.txtar. Each archive has a file "Dockerfile" and any
// number of expectations named after an environment, as in
//
//	linux/arm64 DEBUG=1 --target=app --context=base
//
// whose text is the lowered file, or the diagnostics, each with its snippet.
func TestCorpus(t *testing.T) {
	for _, path := range corpus(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dockerfile := archive.Files[0].Data
			if bytes.Contains(archive.Comment, []byte("[crlf]")) {
				dockerfile = bytes.ReplaceAll(dockerfile, []byte("\n"), []byte("\r\n"))
			}
			if bytes.Contains(archive.Comment, []byte("[bom]")) {
				dockerfile = append([]byte("\ufeff"), dockerfile...)
			}
			for i, f := range archive.Files[1:] {
				got := outcome(t, dockerfile, f.Name)
				if *update {
					archive.Files[i+1].Data = []byte(got)
					continue
				}
				if diff := cmp.Diff(string(f.Data), got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", f.Name, diff)
				}
			}
			if *update {
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func corpus(t testing.TB) []string {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	return paths
}

// outcome lowers a file for an environment, and returns the text with the marks
// of its line ends made visible, or the diagnostics.
func outcome(t *testing.T, dockerfile []byte, environment string) string {
	file, faults := syntax.Parse(source.NewFile("Dockerfile", dockerfile))
	if !file.UsesLanguage {
		return "plain\n"
	}
	p, err := plan.Resolve(file, parseEnv(t, environment))
	if err != nil {
		return diagnostics(err)
	}
	if faults != nil {
		t.Errorf("a faulty file is resolved: %v", faults)
	}
	lowered := plan.Lower(p)
	if got, want := bytes.Count(lowered, []byte("\n")), bytes.Count(dockerfile, []byte("\n")); got != want {
		t.Errorf("lowered file has %d line breaks, want %d", got, want)
	}
	if _, err := parser.Parse(bytes.NewReader(lowered)); err != nil {
		t.Errorf("BuildKit does not parse the lowered file: %v", err)
	}
	var out strings.Builder
	if p.TargetName != "" {
		fmt.Fprintf(&out, "target: %s\n", p.TargetName)
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

func parseEnv(t *testing.T, s string) plan.Env {
	env := plan.Env{Build: platforms.MustParse("linux/amd64"), Args: map[string]string{}, Contexts: map[string]bool{}}
	words := strings.Fields(s)
	var err error
	if env.Target, err = platforms.Parse(words[0]); err != nil {
		t.Fatal(err)
	}
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "--target":
			env.Stage = value
		case "--context":
			env.Contexts[value] = true
		default:
			env.Args[name] = value
		}
	}
	return env
}
