package buildx

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestErrorsMatchBuildx runs builds that must fail with both programs: both end with the
// same error.
func TestErrorsMatchBuildx(t *testing.T) {
	env, _ := suite.Product(t)
	dir := testkit.WriteContext(t, map[string]string{
		"Dockerfile": `FROM busybox AS network
RUN --network=host true
FROM busybox AS secret
RUN --mount=type=secret,id=token,required=true true
FROM busybox AS failing
RUN echo about to fail; exit 7
FROM scratch AS copying
COPY absent /
FROM nosuchbase AS missing
FROM busybox AS plain
`,
		"policy.rego":   "package docker\n\ndefault allow := false\nallow if input.local\ndecision := {\"allow\": allow, \"deny_msg\": [\"images are not for this test\"]}\n",
		"policies.json": `{"rules":[{"action":"DENY","selector":{"identifier":"docker-image://docker.io/library/busybox*"}}]}`,
	})
	for _, test := range []struct {
		name, stage string
		args, env   []string
		want        string
	}{
		{name: "a step on the host's network", stage: "network", want: "network.host is not allowed"},
		{name: "a policy", stage: "secret", args: []string{"--policy=filename=policy.rego"}, want: `source "docker-image://docker.io/library/busybox:latest" not allowed by policy: action DENY`},
		{name: "a policy from the environment", stage: "secret", env: []string{"EXPERIMENTAL_BUILDKIT_SOURCE_POLICY=policies.json"}, want: "source denied by policy"},
		{name: "a missing secret", stage: "secret", want: "secret token: not found"},
		{name: "a secret from a missing file", stage: "secret", args: []string{"--secret=id=token,src=absent"}, want: "failed to stat absent: stat absent: no such file or directory"},
		{name: "a failing step", stage: "failing", want: `process "/bin/sh -c echo about to fail; exit 7" did not complete successfully: exit code: 7`},
		{name: "a missing file", stage: "copying", want: `"/absent": not found`},
		{name: "a missing image", stage: "missing", want: "docker.io/library/nosuchbase:latest: not found"},
		{name: "a missing named context", stage: "copying", args: []string{"--build-context=more=absent"}, want: "failed to get build context more: stat absent: no such file or directory"},
		{name: "a missing Dockerfile", args: []string{"--file=absent"}, want: "failed to read dockerfile: open absent: no such file or directory"},
		{name: "index annotations without an index", stage: "plain", args: []string{"--annotation=index:a=b", "--output=type=oci,dest=-"}, want: "index annotations not supported for single platform export"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if strings.HasPrefix(test.want, "docker.io/") {
				env.NeedMirror(t)
			}
			for _, program := range programs {
				cmd := env.Command(t.Context(), program, append([]string{"build", "--progress=plain", "--target=" + test.stage, dir}, test.args...)...)
				if test.stage == "" {
					cmd.Args = append([]string{program, "build", dir}, test.args...)
				}
				cmd.Dir = dir
				cmd.Env = append(cmd.Env, test.env...)
				text, err := cmd.CombinedOutput()
				if exit, ok := errors.AsType[*exec.ExitError](err); !ok || program == "docker-stagebuild" && exit.ExitCode() != 1 {
					t.Errorf("%s: %v", program, err)
				}
				if !strings.HasSuffix(strings.TrimSpace(string(text)), test.want) {
					t.Errorf("%s does not end with %q:\n%s", program, test.want, text)
				}
			}
		})
	}
}

// TestPolicyOfRemoteContext checks that the policy in a git repository is evaluated for
// the repository itself, when one stage is built and when the Dockerfile is read to select
// several.
func TestPolicyOfRemoteContext(t *testing.T) {
	env, _ := suite.Product(t)
	url := testkit.ServeGit(t, testkit.GitBranch{Name: "main", Files: map[string]string{
		"Dockerfile": "FROM scratch AS a\nCOPY Dockerfile /a\nFROM scratch AS b\nCOPY Dockerfile /b\n",
		"Dockerfile.rego": `package docker

default allow := false
allow if input.env.args.READ == "1"
allow if input.env.labels.read == "1"
allow if input.env.target == "a"
decision := {"allow": allow, "deny_msg": ["this is not to be read"]}
`,
	}})
	for _, test := range []struct {
		flag    string
		refused bool
	}{
		{flag: "--policy=disabled=true"},
		{flag: "--build-arg=READ=1"},
		{flag: "--label=read=1"},
		{flag: "--build-arg=READ=2", refused: true},
	} {
		for _, command := range [][]string{
			{"docker-buildx", "build", "--target=b"},
			{"docker-stagebuild", "build", "--target=b"},
			{"docker-stagebuild", "build", "--stage=a,b"},
		} {
			t.Run(strings.Join(append(command, test.flag), " "), func(t *testing.T) {
				cmd := env.Command(t.Context(), command[0], append(command[1:], "--progress=plain", "--output=type=cacheonly", test.flag, url)...)
				text, err := cmd.CombinedOutput()
				if !test.refused && err != nil {
					t.Errorf("%s %s: %v\n%s", command, test.flag, err, text)
				}
				refused := strings.Contains(string(text), "Policy: this is not to be read\nERROR: failed to build: ") && strings.Contains(string(text), " not allowed by policy: ")
				if test.refused && (err == nil || !refused) {
					t.Errorf("%s %s is not refused as it should be: %v\n%s", command, test.flag, err, text)
				}
			})
		}
	}
	// With a template the Dockerfile is read for a single stage too.
	if _, err := testkit.Build(t, env, "--target=a", "--output=type=cacheonly", "--metadata-file="+filepath.Join(t.TempDir(), "{{.Stage}}"), url); err != nil {
		t.Errorf("one stage and a template: %v", err)
	}
}
