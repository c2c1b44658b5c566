package inspect

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// lintWarning is one warning in the JSON result of a check.
type lintWarning struct {
	RuleName, Detail string
	Location         struct {
		Ranges []struct{ Start struct{ Line int } }
	}
}

// TestCheck checks a staged file on every declared platform without a builder, through the
// plugin, and through buildx with the frontend image: all report the same.
func TestCheck(t *testing.T) {
	env, frontend := suite.Product(t)
	dir := testkit.Request{Dockerfile: `# platforms=linux/amd64,linux/arm64
FROM --for=linux/arm64 scratch AS tools
FROM scratch AS base
from scratch AS casing
# check=skip=ConstantCondition
LABEL --if=true a=b
LABEL --if=false c=d
FROM --platform=linux/arm64 base
COPY --for=linux/arm64 --from=base $NOWHERE /x
FROM busybox::linux/arm64
ENV --for=linux/arm64 API_TOKEN=x
`}.WriteContext(t, frontend)
	want := []string{
		"SecretsUsedInArgOrEnv:12 Do not use ARG or ENV instructions for sensitive data (ENV \"API_TOKEN\") (for linux/arm64)",
		"ConsistentInstructionCasing:5 Command 'from' should match the case of the command majority (uppercase)",
		"FromAsCasing:5 'AS' and 'from' keywords' casing do not match",
		"UndefinedVar:10 Usage of undefined variable '$NOWHERE' (for linux/arm64)",
		"FromPlatformFlagConstDisallowed:9 FROM --platform flag should not use constant value \"linux/arm64\"",
		"ConstantCondition:8 The condition false has the same value in every build; use a build arg or the platform in it, or remove it",
		"StagePlatformIgnored:9 --platform=linux/arm64 is ignored, because \"base\" is a stage; write FROM base::linux/arm64",
		"StageUnavailable:3 Stage \"tools\" cannot be built (for linux/amd64); add a variant whose guard holds",
	}
	for _, command := range [][]string{
		{"docker-stagebuild", "check", "--format=json"},
		{"docker-stagebuild", "build", "--call=check,format=json"},
		{"docker-buildx", "build", "--call=check,format=json"},
	} {
		t.Run(strings.Join(command, " "), func(t *testing.T) {
			found, failure := runCheck(t, env, append(command, dir)...)
			if diff := cmp.Diff(want, found, cmpopts.SortSlices(strings.Compare)); diff != "" || failure != "" {
				t.Errorf("%s (-want +got):\n%s\n%s", command, diff, failure)
			}
		})
	}
}

// runCheck runs a check that must fail and returns its warnings and its error.
func runCheck(t *testing.T, env *harness.Env, command ...string) (found []string, failure string) {
	t.Helper()
	out, err := env.Run(t.Context(), command[0], command[1:]...)
	if err == nil {
		t.Errorf("%s: the check passed", command)
	}
	var result struct {
		Warnings   []lintWarning
		BuildError struct{ Message string }
	}
	if err := json.Unmarshal([]byte(out.Stdout), &result); err != nil {
		t.Fatalf("%s: %v in\n%s", command, err, out.Stdout)
	}
	for _, w := range result.Warnings {
		found = append(found, w.RuleName+":"+strconv.Itoa(w.Location.Ranges[0].Start.Line)+" "+w.Detail)
	}
	return found, result.BuildError.Message
}

// TestCheckOfUnavailablePlatforms checks a file whose default stage has no variant for a
// declared platform: that is a warning, but an error for a platform that is named by a
// flag.
func TestCheckOfUnavailablePlatforms(t *testing.T) {
	env, frontend := suite.Product(t)
	dir := testkit.Request{Dockerfile: `# platforms=linux/amd64,linux/arm64
FROM busybox AS app
FROM --for=linux/amd64 app AS bench
RUN true
MAINTAINER me
`}.WriteContext(t, frontend)
	want := []string{
		"MaintainerDeprecated:6 Maintainer instruction is deprecated in favor of using label",
		"StageUnavailable:4 Stage \"bench\" cannot be built (for linux/arm64); add a variant whose guard holds",
	}
	commands := [][]string{
		{"docker-stagebuild", "check", "--format=json"},
		{"docker-stagebuild", "build", "--call=check,format=json"},
		{"docker-buildx", "build", "--call=check,format=json"},
	}
	for _, command := range commands {
		t.Run(strings.Join(command, " ")+" of one platform", func(t *testing.T) {
			named := append(slices.Clone(command), "--platform=linux/arm64", dir)
			if found, failure := runCheck(t, env, named...); len(found) > 0 || !strings.Contains(failure, `stage "bench" has no variant for linux/arm64`) {
				t.Errorf("%s finds %q, and fails with %q", named, found, failure)
			}
		})
	}
	for _, command := range append(commands,
		append(slices.Clone(commands[0]), "--platform=all"),
		append(slices.Clone(commands[1]), "--platform=all"),
		append(slices.Clone(commands[0]), "--platform=all,linux/amd64"), // adds no platform
		append(slices.Clone(commands[1]), "--platform=all,linux/amd64"),
	) {
		found, failure := runCheck(t, env, append(command, dir)...)
		if diff := cmp.Diff(want, found, cmpopts.SortSlices(strings.Compare)); diff != "" || failure != "" {
			t.Errorf("%s (-want +got):\n%s\n%s", command, diff, failure)
		}
	}
	// A named platform without a variant is the only error.
	for named, other := range map[string]string{"windows/amd64": "linux/arm64", "linux/arm64": "windows/amd64"} {
		t.Run("all and "+named, func(t *testing.T) {
			found, failure := runCheck(t, env, "docker-stagebuild", "check", "--format=json", "--platform=all,"+named, dir)
			if len(found) > 0 || !strings.Contains(failure, "for "+named) || strings.Contains(failure, other) {
				t.Errorf("of all and %s the check finds %q, and fails with %q", named, found, failure)
			}
		})
	}
}

// TestCheckReadsUnreachedStages checks a file with an unreached stage that has
// cross-platform references. They are not looked up in a registry by their internal names.
func TestCheckReadsUnreachedStages(t *testing.T) {
	env, frontend := suite.Product(t)
	dir := testkit.Request{Dockerfile: `FROM busybox AS app
FROM app::linux/arm64 AS both
COPY --from=busybox::linux/arm64 /bin /arm64
RUN --mount=from=app::linux/arm64,target=/m true
MAINTAINER me
FROM busybox AS other
`}.WriteContext(t, frontend)
	for _, command := range [][]string{
		{"docker-stagebuild", "check", "--format=json"},
		{"docker-stagebuild", "build", "--call=check,format=json"},
		{"docker-buildx", "build", "--call=check,format=json"},
		{"docker-buildx", "build", "--call=check,format=json", "--platform=linux/amd64,linux/arm64"},
	} {
		t.Run(strings.Join(command, " "), func(t *testing.T) {
			found, failure := runCheck(t, env, append(command, dir)...)
			if len(found) != 1 || !strings.HasPrefix(found[0], "MaintainerDeprecated") || failure != "" {
				t.Errorf("%s finds %q, and fails with %q", command, found, failure)
			}
		})
	}
}

// TestCheckWithoutBaseImages checks, without a builder, a file with variables and working
// directories that depend on its base images.
func TestCheckWithoutBaseImages(t *testing.T) {
	env, _ := suite.Product(t)
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": `FROM golang AS build
RUN --mount=target=. go build
COPY . $GOPATH/src/x
WORKDIR ${GOPATH}/src
EXPOSE $PORT
STOPSIGNAL $SIGNAL
VOLUME $DATA
ARG VERSION=1
LABEL version=$VERSION

FROM scratch
COPY --from=build $NOWHERE /x
`})
	out, err := env.Run(t.Context(), "docker-stagebuild", "check", "--format=json", dir)
	if err == nil {
		t.Error("the check passed")
	}
	var result struct {
		Warnings   []lintWarning
		BuildError any
	}
	if err := json.Unmarshal([]byte(out.Stdout), &result); err != nil {
		t.Fatal(err)
	}
	if result.BuildError != nil || len(result.Warnings) != 1 || result.Warnings[0].Detail != "Usage of undefined variable '$NOWHERE'" {
		t.Errorf("check finds %s", out.Stdout)
	}
}
