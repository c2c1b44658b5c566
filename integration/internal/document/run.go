package document

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// documentDir is the directory that output in the documents shows.
const documentDir = "/home/you/app"

// unstableOutput matches output that differs between two builds. In summaries: digests,
// numbers of cached steps, sizes and times. In errors: names that BuildKit gives build
// contexts, and timestamps of log lines.
var unstableOutput = regexp.MustCompile(`\b[0-9a-f]{12}\b|\(\d+ cached\)|\b[\d.]+[kM]?B\b|\b(?:\d+m)?[\d.]+m?s\)?$|^\d+\.\d+\b|\bref \w+::\w+`)

// stableLines returns the lines of a command's output without unstableOutput and with
// single spaces between columns.
func stableLines(text, dir string) []string {
	var lines []string
	for _, line := range testkit.TrimLines(strings.ReplaceAll(text, dir, documentDir)) {
		lines = append(lines, strings.Join(strings.Fields(unstableOutput.ReplaceAllString(line, "")), " "))
	}
	return lines
}

// Session follows the directives above a document's code blocks: it writes, edits and
// removes files and runs commands.
type Session struct {
	Env *harness.Env
	// Name is the path of the document, Dir the working directory.
	Name, Dir string
	// Other handles the document's own directives.
	Other map[string]func(Block)
	// Replace lists pairs of a text in the document and its replacement, in addition to
	// the registry.
	Replace []string
}

// Run follows the directives of the whole document.
func (s *Session) Run(t *testing.T) {
	t.Helper()
	blocks, _ := Read(t, s.Name)
	for _, b := range blocks {
		text := strings.NewReplacer(s.Replace...).Replace(WithRegistry(s.Env, b.Text))
		for _, d := range b.Directives {
			switch d.Name {
			case "write":
				testkit.WriteFile(t, filepath.Join(s.Dir, d.Argument), text)
			case "edit":
				EditFile(t, s.Dir, d.Argument)
			case "remove":
				if err := os.Remove(filepath.Join(s.Dir, d.Argument)); err != nil {
					t.Fatal(err)
				}
			case "run":
				for _, c := range ParseTranscript(text) {
					c.Check(t, s.Env, s.Dir, fmt.Sprintf("%s:%d", s.Name, b.Line), d.Argument == "end")
				}
			default:
				if handle := s.Other[d.Name]; handle != nil {
					handle(b)
				}
			}
		}
	}
}

// EditFile replaces text in a file: "FILE: OLD: NEW".
func EditFile(t *testing.T, dir, argument string) {
	t.Helper()
	parts := strings.Split(argument, ": ")
	if len(parts) != 3 {
		t.Fatalf("edit: %q is not FILE: OLD: NEW", argument)
	}
	path := filepath.Join(dir, parts[0])
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(data), parts[1]) != 1 {
		t.Fatalf("edit: %s does not have %q once", parts[0], parts[1])
	}
	testkit.WriteFile(t, path, strings.Replace(string(data), parts[1], parts[2], 1))
}

// Command is a command in a console block, with the output that the block shows.
type Command struct {
	Text   string
	output string // "" if the document shows none
}

// ParseTranscript splits a console block into commands.
func ParseTranscript(text string) []Command {
	var list []Command
	continued := false
	for line := range strings.Lines(text) {
		switch prompt, ok := strings.CutPrefix(line, "$ "); {
		case ok:
			list = append(list, Command{Text: prompt})
		case continued:
			list[len(list)-1].Text += line
		default:
			list[len(list)-1].output += line
			continue
		}
		continued = strings.HasSuffix(line, "\\\n")
	}
	return list
}

// Check runs the command. Without shown output it only has to succeed. For a build the
// document may show only the end of the output, after the progress.
func (c Command) Check(t *testing.T, env *harness.Env, dir, place string, endOnly bool) {
	t.Helper()
	cmd := env.Command(t.Context(), "sh", "-c", c.Text)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if c.output == "" {
		if err != nil {
			t.Errorf("%s: %s%v\n%s", place, c.Text, err, out)
		}
		return
	}
	want, got := testkit.TrimLines(c.output), testkit.TrimLines(string(out))
	if endOnly {
		want, got = stableLines(c.output, dir), stableLines(string(out), dir)
		got = got[max(0, len(got)-len(want)):]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %sprints (-document +got):\n%s\n%s", place, c.Text, diff, out)
	}
}
