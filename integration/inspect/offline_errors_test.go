package inspect

import (
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestInvalidFilesOffline runs the commands that need no builder on invalid files: they
// fail instead of printing an empty result.
func TestInvalidFilesOffline(t *testing.T) {
	env, _ := suite.Product(t)
	for text, want := range map[string]string{
		"":                          "file with no instructions",
		"garbage here\n":            "dockerfile parse error on line 1: unknown instruction: garbage",
		"FROM\n":                    "dockerfile parse error on line 1: FROM requires either one or three arguments",
		"ARG X=1\n":                 "dockerfile contains no stages to build",
		"# platforms=linux/amd64\n": "dockerfile contains no stages to build",
	} {
		t.Run(strconv.Quote(text), func(t *testing.T) {
			dir := testkit.WriteContext(t, map[string]string{"Dockerfile": text})
			for _, command := range []string{"ls", "explain", "matrix", "matrix --format bake", "graph", "graph --format svg", "graph --format html", "render"} {
				cmd := env.Command(t.Context(), "docker-stagebuild", strings.Fields(command)...)
				cmd.Dir = dir
				cmd.Stdout = nil
				var log strings.Builder
				cmd.Stderr = &log
				if err := cmd.Run(); err == nil || log.String() != "ERROR: Dockerfile: "+want+"\n" {
					t.Errorf("%s of %q: %v, %q", command, text, err, log.String())
				}
			}
			out, err := env.Run(t.Context(), "docker-stagebuild", "check", "--format=sarif", dir)
			var log struct {
				Runs []struct{ Results []struct{ Level string } }
			}
			if jsonErr := json.Unmarshal([]byte(out.Stdout), &log); err == nil || jsonErr != nil {
				t.Errorf("check of %q: %v, %v", text, err, jsonErr)
				return
			}
			if results := log.Runs[0].Results; len(results) != 1 || results[0].Level != "error" {
				t.Errorf("check of %q has the results %v", text, results)
			}
		})
	}
}

// TestFullDisk runs commands whose standard output cannot be written.
func TestFullDisk(t *testing.T) {
	env, _ := suite.Product(t)
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM scratch AS app\n"})
	for _, command := range []string{
		"ls", "ls --format json", "explain", "explain --format json", "render", "check", "check --format json", "check --format sarif",
		"graph", "graph --format dot", "graph --format svg", "graph --format html", "graph --format json",
		"matrix", "matrix --format json", "matrix --format bake", "matrix --format github", "matrix --native", "matrix --merge --tag example.com/app",
		"version", "version --format json",
	} {
		t.Run(command, func(t *testing.T) {
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			cmd := env.Command(t.Context(), "docker-stagebuild", strings.Fields(command)...)
			cmd.Dir, cmd.Stdout = dir, full
			var log strings.Builder
			cmd.Stderr = &log
			err = cmd.Run()
			if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 || !strings.Contains(log.String(), "no space left on device") { //nolint:errorlint // Run's own
				t.Errorf("%s: %v, %q", command, err, log.String())
			}
			if err := full.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestUnknownStageOffline passes a misspelled stage to each command that takes one.
func TestUnknownStageOffline(t *testing.T) {
	env, _ := suite.Product(t)
	for _, text := range []string{"FROM scratch AS app\n", "FROM --if=true scratch AS app\n"} {
		dir := testkit.WriteContext(t, map[string]string{"Dockerfile": text})
		for _, command := range []string{"ls --stage ap", "explain ap", "render --stage ap", "graph --stage ap", "matrix --stage ap", "check --stage ap"} {
			t.Run(command+" "+strconv.Quote(text), func(t *testing.T) {
				cmd := env.Command(t.Context(), "docker-stagebuild", strings.Fields(command)...)
				cmd.Dir = dir
				out, err := cmd.CombinedOutput()
				if err == nil || !strings.Contains(string(out), `did you mean "app"?`) && !strings.Contains(string(out), "did you mean app?") {
					t.Errorf("%s: %v, %s", command, err, out)
				}
			})
		}
	}
}
