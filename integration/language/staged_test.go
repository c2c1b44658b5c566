package language

import (
	"slices"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

func TestVariantsByPlatform(t *testing.T) {
	res := testkit.BuildWithEveryClient(t, &suite, "staged/platform", testkit.Request{
		Platforms: testkit.BothPlatforms(),
		Files:     map[string]string{"small": "small", "large": "large"},
		Dockerfile: `FROM --for=linux/arm64 scratch AS base
COPY small /base
ENV BASE=small
FROM --for=windows mcr.microsoft.com/windows/nanoserver:ltsc2025 AS base
FROM scratch AS base
COPY large /base
ENV BASE=large

FROM base AS app
ARG TARGETARCH
ENV BUILT_FOR=$TARGETARCH
`,
	})
	testkit.WantFile(t, res, "linux/amd64", "base", "large")
	testkit.WantFile(t, res, "linux/arm64", "base", "small")
	testkit.WantEnv(t, res, "linux/amd64", "BASE", "large")
	testkit.WantEnv(t, res, "linux/arm64", "BASE", "small")
	testkit.WantEnv(t, res, "linux/arm64", "BUILT_FOR", "arm64")
}

func TestVariantsByArg(t *testing.T) {
	r := testkit.Request{
		Platforms: []string{"linux/amd64"},
		Files:     map[string]string{"tools": "tools"},
		Dockerfile: `ARG VARIANT=release
FROM --if='VARIANT == "debug"' busybox AS base
COPY tools /tools
FROM scratch AS base

FROM base
ARG VARIANT
LABEL variant=$VARIANT
COPY --if='VARIANT == "debug"' tools /debug-only
`,
	}
	res := testkit.BuildWithEveryClient(t, &suite, "staged/release", r)
	testkit.WantFiles(t, res, "linux/amd64", map[string]bool{"bin/busybox": false, "tools": false, "debug-only": false})

	r.Args = map[string]string{"VARIANT": "debug"}
	res = testkit.BuildWithEveryClient(t, &suite, "staged/debug", r)
	testkit.WantFiles(t, res, "linux/amd64", map[string]bool{"bin/busybox": true, "tools": true, "debug-only": true})
	img, err := res.Image("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	if got := img.Config.Config.Labels["variant"]; got != "debug" {
		t.Errorf("label variant is %q, want debug", got)
	}
}

func TestConditionalInstructions(t *testing.T) {
	// RUN is only for the platform of the daemon: the test has no emulation.
	res := testkit.BuildWithEveryClient(t, &suite, "staged/instructions", testkit.Request{
		Platforms: testkit.BothPlatforms(),
		Args:      map[string]string{"DEBUG": "true"},
		Files:     map[string]string{"a": "a", "b": "b"},
		Dockerfile: `ARG --for=linux/amd64 UNAME=x86_64
ARG --for=linux/arm64 UNAME=aarch64
ARG DEBUG=0

FROM busybox
ARG UNAME
ARG --if=!DEBUG LEVEL=error
ARG --if=DEBUG LEVEL=debug
ENV --if=DEBUG LEVEL=$LEVEL
ENV --if='DEBUG && TARGETARCH == "arm64"' MALLOC_CONF=prof:true
ENV UNAME=$UNAME
COPY --for=linux/arm64 a /copied
COPY --for=linux/amd64 \
     # a comment between
     b /copied
RUN --if='platform(BUILDPLATFORM) && DEBUG' --network=none <<EOF
echo ran on $(uname -s) > /ran
EOF
RUN --if='!DEBUG' exit 1
RUN --if='platform("windows")' exit 1
`,
	})
	env := suite.Env(t)
	for _, platform := range testkit.BothPlatforms() {
		testkit.WantEnv(t, res, platform, "LEVEL", "debug")
		testkit.WantFiles(t, res, platform, map[string]bool{"ran": platform == env.Platform})
	}
	testkit.WantFile(t, res, env.Platform, "ran", "ran on Linux\n")
	testkit.WantFile(t, res, "linux/amd64", "copied", "b")
	testkit.WantFile(t, res, "linux/arm64", "copied", "a")
	testkit.WantEnv(t, res, "linux/amd64", "UNAME", "x86_64")
	testkit.WantEnv(t, res, "linux/arm64", "UNAME", "aarch64")
	testkit.WantEnv(t, res, "linux/amd64", "MALLOC_CONF", "")
	testkit.WantEnv(t, res, "linux/arm64", "MALLOC_CONF", "prof:true")
}

func TestExpansionInFrom(t *testing.T) {
	res := testkit.BuildWithEveryClient(t, &suite, "staged/expansion", testkit.Request{
		Platforms: testkit.BothPlatforms(),
		Files:     map[string]string{"one": "1", "two": "2"},
		Dockerfile: `ARG WHICH=one
FROM scratch AS files-amd64
COPY one /file
FROM scratch AS files-arm64
COPY two /file

FROM --platform=$BUILDPLATFORM busybox AS build
ARG SUFFIX=$TARGETARCH
ARG TARGETARCH
RUN --mount=type=bind,from=files-$TARGETARCH,target=/mnt cat /mnt/file > /mounted

FROM scratch
COPY --from=files-${TARGETARCH} /file /copied
COPY --from=build /mounted /mounted
COPY --from=files-${NOWHERE:-amd64} /file /default
`,
	})
	for platform, content := range map[string]string{"linux/amd64": "1", "linux/arm64": "2"} {
		testkit.WantFile(t, res, platform, "copied", content)
		testkit.WantFile(t, res, platform, "mounted", content)
		testkit.WantFile(t, res, platform, "default", "1")
	}
}

// TestDroppedStagesAreNotBuilt builds a file whose dropped stages and instructions cannot
// be built on any platform.
func TestDroppedStagesAreNotBuilt(t *testing.T) {
	env, frontend := suite.Product(t)
	env.NeedMirror(t)
	r := testkit.Request{
		Platforms: testkit.BothPlatforms(),
		Files:     map[string]string{"kept": "kept"},
		Dockerfile: `ARG EXTRA=0
FROM --for=linux/riscv64 nosuchbase-a:1 AS base
RUN exit 1
FROM --if=EXTRA nosuchbase-b:1 AS base
COPY nosuchfile /
FROM scratch AS base

FROM base
COPY kept /
COPY --if=EXTRA --from=nosuchbase-c:1 / /
RUN --if=EXTRA --mount=from=nosuchbase-d:1,target=/mnt exit 1
`,
	}
	res := testkit.BuildWithEveryClient(t, &suite, "staged/dropped", r)
	for _, platform := range testkit.BothPlatforms() {
		testkit.WantFile(t, res, platform, "kept", "kept")
	}
	for _, req := range requestsForMissing(env) {
		t.Errorf("request for the base of a dropped stage: %s", req)
	}

	// The log does contain the request when the stage is selected.
	r.Args = map[string]string{"EXTRA": "1"}
	dir := r.WriteContext(t, frontend)
	err := testkit.Run(t, env, append(append([]string{"docker-stagebuild", "build"}, r.Flags(env, "staged/extra:1")...), dir))
	if err == nil {
		t.Fatal("a stage whose base does not exist was built")
	}
	if len(requestsForMissing(env)) == 0 {
		t.Errorf("the base of a selected stage was not requested; the build failed with %v", err)
	}
}

// requestsForMissing returns the requests for images that do not exist.
func requestsForMissing(env *harness.Env) []harness.Request {
	return slices.DeleteFunc(env.Registry.Requests(), func(req harness.Request) bool {
		return !strings.Contains(req.Path, "nosuchbase-")
	})
}
