package frontend_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/subrequests"

	"github.com/stagebuild/stagebuild/frontend"
	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/frontend/matrix"
)

const ownFile = `# platforms=linux/amd64,linux/arm64,windows/amd64
ARG DEBUG=0
FROM --for=linux/arm64 debian AS base
FROM --for=linux alpine AS base
FROM base AS app
RUN --if=DEBUG true
FROM app AS other
`

// TestOwnSubrequests checks the results of the subrequests that BuildKit's frontend does
// not have.
func TestOwnSubrequests(t *testing.T) {
	for _, test := range []struct {
		name, call string
		opts       map[string]string
		text       string // "" to compare the error
		err        string
	}{
		{name: "explain", call: "explain", opts: map[string]string{"platform": "linux/arm64", "target": "app", "build-arg:DEBUG": "1"}, text: `app, line 5 for linux/arm64 with DEBUG = "1"
├── line 5: FROM base (line 3)
│   └── line 3: FROM debian (image), selected: --for=linux/arm64 matches
│         linux/arm64
└── line 6: RUN true is kept: --if=DEBUG is true with DEBUG = "1"

not reached
└── other, line 7
`},
		{name: "declared platforms", call: "graph", text: `other, line 7
└── line 7: FROM app
    ├── line 5: FROM base (line 4) [linux/amd64]
    │   └── line 4: FROM alpine (image)
    └── line 5: FROM base (line 3) [linux/arm64]
        └── line 3: FROM debian (image)
`},
		{name: "all stages", call: "matrix", text: `STAGE   PLATFORMS
base    linux/amd64, linux/arm64
app     linux/amd64, linux/arm64
other   linux/amd64, linux/arm64
Note: base is left out for windows/amd64: stage "base" has no variant for windows/amd64
Note: app is left out for windows/amd64: stage "base" has no variant for windows/amd64
Note: other is left out for windows/amd64: stage "base" has no variant for windows/amd64
`},
		{name: "one stage", call: "matrix", opts: map[string]string{"target": "app", "platform": "linux/arm64,linux/riscv64"}, text: "STAGE   PLATFORMS\napp     linux/arm64, linux/riscv64\n"},
		{name: "both named", call: "matrix", opts: map[string]string{"target": "app", "platform": "linux/arm64,windows/amd64"}, err: `stage "base" has no variant for windows/amd64`},
		{name: "as typed", call: "matrix", opts: map[string]string{"target": "APP", "platform": "linux/arm64"}, text: "STAGE   PLATFORMS\napp     linux/arm64\n"},
		{name: "no possible platform", call: "matrix", opts: map[string]string{"platform": "windows/amd64"}, err: "none of the requested stages can be built:\nbase is left out for windows/amd64"},
		{name: "typo", call: "matrix", opts: map[string]string{"target": "ap"}, err: `no stage is named "ap"; did you mean "app"?`},
		{name: "impossible", call: "graph", opts: map[string]string{"platform": "windows/amd64"}, err: `stage "base" has no variant for windows/amd64`},
		{name: "another case", call: "graph", opts: map[string]string{"target": "BASE"}, text: "base (line 4) [linux/amd64]\n└── line 4: FROM alpine (image)\n\nbase (line 3) [linux/arm64]\n└── line 3: FROM debian (image)\n"},
		{name: "typo", call: "explain", opts: map[string]string{"target": "ap"}, err: `no stage is named "ap"; did you mean "app"?`},
	} {
		t.Run(test.call+" "+test.name, func(t *testing.T) {
			opts := map[string]string{"requestid": "frontend." + test.call, "frontend.caps": "moby.buildkit.frontend.subrequests"}
			maps.Copy(opts, test.opts)
			_, o := build(t, frontend.Build, []byte(ownFile), opts)
			if test.err != "" || o.Error != "" {
				if test.err == "" || !strings.Contains(o.Error, test.err) {
					t.Errorf("error %q, want %q", o.Error, test.err)
				}
				return
			}
			if diff := cmp.Diff(test.text, o.Metadata["result.txt"]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var e graph.Explanation
			var g graph.Graph
			var m matrix.Matrix
			value := map[string]any{"explain": &e, "graph": &g, "matrix": &m}[test.call]
			if err := json.Unmarshal([]byte(o.Metadata["result.json"]), value); err != nil || len(e.Explanations)+len(g.Nodes)+len(m.Stages) == 0 {
				t.Errorf("result.json: %v: %s", err, o.Metadata["result.json"])
			}
			for _, stage := range m.Stages {
				if _, err := platforms.ParseAll(stage.Platforms); err != nil {
					t.Errorf("result.json: stage %s: %v", stage.Stage, err)
				}
			}
		})
	}
}

// TestOwnSubrequestsAreDescribed checks that the list of subrequests has those of BuildKit,
// unchanged, and then ours.
func TestOwnSubrequestsAreDescribed(t *testing.T) {
	opts := map[string]string{"requestid": subrequests.RequestSubrequestsDescribe, "frontend.caps": "moby.buildkit.frontend.subrequests"}
	list := func(o outcome) (names []string) {
		var requests []subrequests.Request
		if err := json.Unmarshal([]byte(o.Metadata["result.json"]), &requests); err != nil {
			t.Fatalf("%v: %s %s", err, o.Error, o.Metadata["result.json"])
		}
		for _, r := range requests {
			names = append(names, r.Name+" "+r.Version)
			if !strings.Contains(o.Metadata["result.txt"], strings.TrimPrefix(r.Name, "frontend.")) {
				t.Errorf("%s is not in the text:\n%s", r.Name, o.Metadata["result.txt"])
			}
		}
		return names
	}
	_, buildkit := build(t, builder.Build, []byte("FROM alpine\n"), opts)
	_, ours := build(t, frontend.Build, []byte("FROM alpine\n"), opts)
	want := append(list(buildkit), "frontend.explain 1.0.0", "frontend.graph 1.0.0", "frontend.matrix 1.0.0")
	if diff := cmp.Diff(want, list(ours)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
