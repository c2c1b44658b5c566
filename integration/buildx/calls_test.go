package buildx

import (
	"bytes"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// callsFile gives every request something to report: descriptions, args, a secret and a
// lint warning.
const callsFile = `# check=skip=JSONArgsRecommended
# VERSION of the program
ARG VERSION=1

# base has a shell
FROM busybox AS base
ARG VERSION
# WHO is asked for
ARG WHO=me
RUN --mount=type=secret,id=token,required=true --mount=type=ssh --mount=type=cache,id=objects,target=/cache true

# app is the program
from base AS app
MAINTAINER me
CMD app
`

// definitions matches the LLB of the sources in the result of a check.
var definitions = regexp.MustCompile(`(?ms)^ {6}"definition": \{.*?^ {6}\}`)

// TestCallsMatchBuildx runs --call and --check for plain files with both programs: they
// print the same.
func TestCallsMatchBuildx(t *testing.T) {
	env, _ := suite.Product(t)
	plain := map[string]string{"Dockerfile": callsFile, "clean/Dockerfile": "FROM busybox\n", "broken/Dockerfile": "FROM busybox\nCOPPY a b\n", "a": "a"}
	dir := testkit.WriteContext(t, plain)
	for _, test := range []struct {
		args   []string
		stdin  string
		status int
	}{
		{args: []string{"--call=check", dir}, status: 1},
		{args: []string{"--check", dir}, status: 1},
		{args: []string{"--call=check,format=json", dir}, status: 1},
		{args: []string{"--call=check,ignorestatus=true", dir}},
		{args: []string{"--check", "--platform=linux/amd64,linux/arm64", dir}, status: 1},
		{args: []string{"--check", "--target=base", dir}, status: 1},
		{args: []string{"--check", "--file=-", dir}, stdin: callsFile, status: 1},
		{args: []string{"--check", dir + "/clean"}},
		{args: []string{"--check", dir + "/broken"}, status: 1},
		{args: []string{"--check", "--file=" + dir + "/Dockerfile", dir + "/clean"}, status: 1},
		{args: []string{"--call=outline", dir}},
		{args: []string{"--call=outline,format=json", "--target=base", "--build-arg=WHO=you", dir}},
		{args: []string{"--call=outline", "--file=-", dir}, stdin: callsFile},
		{args: []string{"--call=targets", dir}},
		{args: []string{"--call=targets,format=json", dir}},
	} {
		t.Run(strings.ReplaceAll(strings.Join(test.args, " "), dir, "."), func(t *testing.T) {
			var first string
			for _, program := range programs {
				cmd := env.Command(t.Context(), program, append([]string{"build"}, test.args...)...)
				cmd.Stdin = strings.NewReader(test.stdin)
				var stdout, stderr bytes.Buffer
				cmd.Stdout, cmd.Stderr = &stdout, &stderr
				err := cmd.Run()
				if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != test.status) || err == nil && test.status != 0 {
					t.Errorf("%s: %v, want exit status %d\n%s", program, err, test.status, stderr.String())
				}
				// The LLB that reads the file differs from run to run.
				got := definitions.ReplaceAllString(stdout.String(), "definition")
				if program == programs[0] {
					first = got
					continue
				}
				if diff := cmp.Diff(first, got); diff != "" {
					t.Errorf("(-%s +%s)\n%s", programs[0], program, diff)
				}
			}
		})
	}
}
