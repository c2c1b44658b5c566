package language

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestCalls runs subrequests for a staged file, through the plugin and through buildx with
// the frontend image.
func TestCalls(t *testing.T) {
	env, frontend := suite.Product(t)
	dir := testkit.Request{
		Files: map[string]string{"a": "a"},
		Dockerfile: `# DEBUG whether there is a shell
ARG DEBUG=0

FROM --for=linux/arm64 scratch AS base
# base what the rest stands on
FROM --if=DEBUG busybox AS base
FROM scratch AS base

# app the program
FROM base AS app
ARG --if=DEBUG LEVEL=9
COPY a /
FROM --if=DEBUG app AS tools
from app AS last
`,
	}.WriteContext(t, frontend)
	for _, test := range []struct {
		call string
		args []string
		want string
	}{
		{"targets", nil, "TARGET         DESCRIPTION\nbase           \napp            the program\nlast (default) \n"},
		{"targets", []string{"--build-arg=DEBUG=1"}, "TARGET         DESCRIPTION\nbase           what the rest stands on\napp            the program\ntools          \nlast (default) \n"},
		{"outline", []string{"--target=app"}, "TARGET:      app\nDESCRIPTION: the program\n"},
		{"check", nil, "WARNING: ConsistentInstructionCasing"},
		{"explain", []string{"--target=app"}, "app, line 11 for linux/amd64 with DEBUG = \"0\"\n"},
		{"explain,format=json", nil, `"explanations": [`},
		{"graph", nil, "last, line 15\n└── line 15: FROM app\n"},
		{"graph,format=json", nil, `"nodes": [`},
		{"matrix", nil, "STAGE   PLATFORMS\nbase    linux/amd64\n"},
		{"matrix,format=json", nil, `"impossible": [`},
		{"subrequests.describe", nil, "\nexplain              1.0.0   Explain what"},
	} {
		for _, command := range []string{"docker-stagebuild", "docker-buildx"} {
			t.Run(strings.Join(append([]string{command, test.call}, test.args...), " "), func(t *testing.T) {
				args := append([]string{"build", "--platform=linux/amd64", "--call=" + test.call}, test.args...)
				out, err := env.Run(t.Context(), command, append(args, dir)...)
				if (err != nil) != (test.call == "check") {
					t.Errorf("%s --call=%s: %v", command, test.call, err)
				}
				if !strings.Contains(out.Stdout, test.want) {
					t.Errorf("%s --call=%s %v prints\n%s\nwant\n%s", command, test.call, test.args, out.Stdout, test.want)
				}
			})
		}
	}
}

// TestCallsMatchCommands runs subrequests with the frontend image and compares them with
// the output of the plugin's commands, as text and as JSON.
func TestCallsMatchCommands(t *testing.T) {
	env, frontend := suite.Product(t)
	dir := testkit.Request{Dockerfile: `# platforms=linux/amd64,linux/arm64
FROM --for=linux/arm64 scratch AS base
FROM busybox AS base
FROM base AS app
RUN --if='TARGETARCH == "arm64"' true
FROM --for=linux/amd64 base AS some
FROM app
`}.WriteContext(t, frontend)
	for _, call := range []string{"explain", "graph", "matrix"} {
		for _, format := range []string{"text", "json"} {
			t.Run(call+" "+format, func(t *testing.T) {
				called, err := env.Run(t.Context(), "docker-buildx", "build", "--platform=linux/amd64,linux/arm64", "--call="+call+",format="+format, dir)
				if err != nil {
					t.Fatal(err)
				}
				command := []string{call, "-f", dir + "/Dockerfile"}
				if format == "json" {
					command = append(command, "--format=json")
				}
				printed, err := env.Run(t.Context(), "docker-stagebuild", command...)
				if err != nil {
					t.Fatal(err)
				}
				// The image prints the notes of a command below its output.
				want, got := printed.Stdout+printed.Stderr, called.Stdout
				if format == "json" {
					want, got = formatJSON(t, strings.ReplaceAll(printed.Stdout, dir+"/", "")), formatJSON(t, called.Stdout)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s as %s (-plugin +image):\n%s", call, format, diff)
				}
			})
		}
	}
}

// formatJSON returns a JSON document in a canonical form.
func formatJSON(t *testing.T, text string) string {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	out, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestCallsOfUnavailableStage runs subrequests for a file whose default stage has no
// variant for any declared platform.
func TestCallsOfUnavailableStage(t *testing.T) {
	env, frontend := suite.Product(t)
	dir := testkit.Request{Dockerfile: `# platforms=linux/amd64,linux/arm64
FROM scratch AS some
COPY --for=linux/amd64 a /
FROM --for=linux/s390x scratch AS last
`}.WriteContext(t, frontend)
	runCommand := func(args ...string) (string, error) {
		out, err := env.Run(t.Context(), args[0], append(args[1:], dir)...)
		return out.Stdout, err
	}
	for _, command := range []string{"docker-stagebuild", "docker-buildx"} {
		if got, err := runCommand(command, "build", "--platform=linux/amd64", "--call=targets"); err != nil || !strings.Contains(got, "some") || strings.Contains(got, "default") {
			t.Errorf("%s: the targets are\n%s%v", command, got, err)
		}
	}
	want, err := runCommand("docker-stagebuild", "matrix", "--platform=all")
	if err != nil {
		t.Fatal(err)
	}
	for _, platform := range []string{"--platform=all", "--platform=all,linux/arm64", "--platform="} {
		if got, err := runCommand("docker-stagebuild", "build", "--call=matrix", platform); err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%s: the matrix is\n%swant\n%s%v", platform, got, want, err)
		}
		if got, err := runCommand("docker-stagebuild", "build", "--call=check", platform); err == nil || !strings.Contains(err.Error(), `:5:1: stage "last" has no variant for linux/arm64`) {
			t.Errorf("%s: the check prints\n%s%v", platform, got, err)
		}
	}
}
