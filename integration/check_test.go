package integration

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// finding is what the result of a check has of each warning.
type finding struct {
	RuleName, Detail string
	Location         struct {
		Ranges []struct{ Start struct{ Line int } }
	}
}

// TestCheck checks a staged file without a builder, through the plugin, and through
// buildx with the frontend image: all find the same, on every declared platform.
func TestCheck(t *testing.T) {
	env, frontend := productEnv(t)
	dir := request{dockerfile: `# platforms=linux/amd64,linux/arm64
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
`}.context(t, frontend)
	want := []string{
		"SecretsUsedInArgOrEnv:12 Do not use ARG or ENV instructions for sensitive data (ENV \"API_TOKEN\") (for linux/arm64)",
		"ConsistentInstructionCasing:5 Command 'from' should match the case of the command majority (uppercase)",
		"FromAsCasing:5 'AS' and 'from' keywords' casing do not match",
		"UndefinedVar:10 Usage of undefined variable '$NOWHERE' (for linux/arm64)",
		"FromPlatformFlagConstDisallowed:9 FROM --platform flag should not use constant value \"linux/arm64\"",
		"ConstantCondition:8 The condition false depends on no build arg and no platform",
		"StagePlatformIgnored:9 --platform=linux/arm64 is ignored: \"base\" is a stage; write FROM base::linux/arm64",
		"StageUnavailable:3 Stage \"tools\" cannot be built (for linux/amd64)",
	}
	for _, command := range [][]string{
		{"docker-stagebuild", "check", "--format=json"},
		{"docker-stagebuild", "build", "--call=check,format=json"},
		{"docker-buildx", "build", "--call=check,format=json"},
	} {
		out, err := env.Run(t.Context(), command[0], append(command[1:], dir)...)
		if err == nil {
			t.Errorf("%s: the check passed", command)
		}
		var result struct{ Warnings []finding }
		if err := json.Unmarshal([]byte(out.Stdout), &result); err != nil {
			t.Fatalf("%s: %v in\n%s", command, err, out.Stdout)
		}
		var found []string
		for _, w := range result.Warnings {
			found = append(found, w.RuleName+":"+strconv.Itoa(w.Location.Ranges[0].Start.Line)+" "+w.Detail)
		}
		if diff := cmp.Diff(want, found, cmpopts.SortSlices(strings.Compare)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", command, diff)
		}
	}
}

// TestCheckTakesImagesAsTheyAre checks, without a builder, what only base images can
// answer: which variables they have, and their working directory.
func TestCheckTakesImagesAsTheyAre(t *testing.T) {
	env, _ := productEnv(t)
	dir := writeContext(t, map[string]string{"Dockerfile": `FROM golang AS build
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
		Warnings   []finding
		BuildError any
	}
	if err := json.Unmarshal([]byte(out.Stdout), &result); err != nil {
		t.Fatal(err)
	}
	if result.BuildError != nil || len(result.Warnings) != 1 || result.Warnings[0].Detail != "Usage of undefined variable '$NOWHERE'" {
		t.Errorf("check finds %s", out.Stdout)
	}
}
