package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/buildx/build"
	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client"

	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/pipeline"
	"github.com/stagebuild/stagebuild/plugin/result"
)

func TestImageID(t *testing.T) {
	const manifest, config = "sha256:11", "sha256:22"
	if got := imageID(map[string]string{"containerimage.digest": manifest}); got != manifest {
		t.Errorf("image without a config digest: %q", got)
	}
	if got := imageID(map[string]string{"containerimage.digest": manifest, "containerimage.config.digest": config}); got != config {
		t.Errorf("image with a config digest: %q", got)
	}
	if got := imageID(nil); got != "" {
		t.Errorf("no image: %q", got)
	}
}

func TestMetadata(t *testing.T) {
	resp := map[string]string{
		"containerimage.digest":     "sha256:11",
		"containerimage.descriptor": "eyJzaXplIjoxfQ==", // {"size":1}
		"a.list":                    "W3siYSI6MX1d",     // [{"a":1}]
		"empty.object":              "e30=",             // {}
		"a.number":                  "MTI=",             // 12
		"result.json":               `{"targets":[]}`,
	}
	warnings := []client.VertexWarning{{Short: []byte("careful")}}
	path := filepath.Join(t.TempDir(), "metadata.json")
	if err := writeMetadata(path, metadataOf(resp, warnings)); err != nil {
		t.Fatal(err)
	}
	dt, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(dt, &got); err != nil {
		t.Fatal(err)
	}
	if n := len(got["buildx.build.warnings"].([]any)); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
	delete(got, "buildx.build.warnings")
	want := map[string]any{
		"containerimage.digest":     "sha256:11",
		"containerimage.descriptor": map[string]any{"size": 1.0},
		"a.list":                    []any{map[string]any{"a": 1.0}},
		"empty.object":              "e30=",
		"a.number":                  "MTI=",
		"result.json":               map[string]any{"targets": []any{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("metadata (-want +got):\n" + diff)
	}
}

func TestFilesAreWrittenAtomically(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "id")
	for _, content := range []string{"first, and longer", "second"} {
		if err := writeFile(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if dt, err := os.ReadFile(path); err != nil || string(dt) != content {
			t.Errorf("content %q, %v", dt, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("temporary files are left: %v, %v", entries, err)
	}
	if err := writeFile(filepath.Join(dir, "none", "id"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a directory that does not exist: %v", err)
	}
	if err := removeStale(path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the stale file: %v", err)
	}
	for _, absent := range []string{path, ""} {
		if err := removeStale(absent); err != nil {
			t.Errorf("removeStale(%q): %v", absent, err)
		}
	}
}

func TestPrintWarnings(t *testing.T) {
	warning := client.VertexWarning{Short: []byte("StageNameCasing: lowercase (line 1)")}
	for _, test := range []struct {
		warnings []client.VertexWarning
		want     string
	}{
		{nil, ""},
		{[]client.VertexWarning{warning}, "\n1 warning found (use --debug to expand):\n - StageNameCasing: lowercase (line 1)\n"},
		{[]client.VertexWarning{warning, warning}, "\n2 warnings found (use --debug to expand):\n" + strings.Repeat(" - StageNameCasing: lowercase (line 1)\n", 2)},
	} {
		t.Run(fmt.Sprint(len(test.warnings)), func(t *testing.T) {
			var out strings.Builder
			printWarnings(&out, test.warnings)
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Error("output (-want +got):\n" + diff)
			}
		})
	}
}

func TestPrintCall(t *testing.T) {
	const targets = `{"targets":[{"name":"app","default":true,"description":"the app"}]}`
	const finding = `{"warnings":[{"ruleName":"R","description":"d","detail":"found it","location":{"sourceIndex":0,"ranges":[{"start":{"line":1},"end":{"line":1}}]}}],
		"sources":[{"filename":"Dockerfile","data":"RlJPTSBzY3JhdGNo"}]}`
	for _, test := range []struct {
		name     string
		call     build.CallFunc
		res      map[string]string
		filename string
		status   error
		want     []string
	}{
		{"targets", build.CallFunc{Name: "targets"}, map[string]string{"result.json": targets}, "", nil, []string{"app (default)", "the app"}},
		{"as json", build.CallFunc{Name: "targets", Format: "json"}, map[string]string{"result.json": targets}, "", nil, []string{targets + "\n"}},
		{"a clean check", build.CallFunc{Name: "lint"}, map[string]string{"result.json": "{}", "result.statuscode": "0"}, "", nil, []string{"Check complete, no warnings found.\n"}},
		{
			"a finding", build.CallFunc{Name: "lint"}, map[string]string{"result.json": finding, "result.statuscode": "1"}, "app.Dockerfile", cli.StatusError(1),
			[]string{"Check complete, 1 warning has been found!\n", "WARNING: R", "app.Dockerfile:1", ">>> FROM scratch"},
		},
		{"an ignored status", build.CallFunc{Name: "lint", IgnoreStatus: true}, map[string]string{"result.json": "{}", "result.statuscode": "1"}, "", nil, nil},
		{"a call without a printer", build.CallFunc{Name: "graph"}, map[string]string{"result.txt": "a graph\n", "result.json": "{}"}, "", nil, []string{"a graph\n"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			req := &request{build: build.Options{CallFunc: &test.call, Inputs: build.Inputs{DockerfileMappingSrc: test.filename}}}
			if err := printCall(&out, req, test.res); !errors.Is(err, test.status) {
				t.Error(err)
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in:\n%s", want, &out)
				}
			}
		})
	}
	req := &request{build: build.Options{CallFunc: &build.CallFunc{Name: "graph"}}}
	if err := printCall(&strings.Builder{}, req, map[string]string{"result.json": "{}"}); err == nil {
		t.Error("a result that cannot be printed: no error")
	}
}

// TestReportOfInterruptedBuild reports the results that failed before the interrupt.
func TestReportOfInterruptedBuild(t *testing.T) {
	results := []*resultBuild{
		{Result: &result.Result{Name: "slow"}, outcome: &pipeline.Outcome{Err: context.Canceled}},
		{Result: &result.Result{Name: "bad"}, outcome: &pipeline.Outcome{Err: errors.New("exit code 3")}},
	}
	err := failuresOf(results)
	for _, test := range []struct {
		name   string
		err    error
		status int
		text   string
	}{
		{"failed", err, cli.ExitFailed, "ERROR: bad: exit code 3\n"},
		{"interrupted", errors.Join(err, context.Canceled), cli.ExitInterrupted, "ERROR: bad: exit code 3\nInterrupted\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			if got := cli.Report(&out, test.err); got != test.status || out.String() != test.text {
				t.Errorf("status %d, %q", got, &out)
			}
		})
	}
}
