package frontend_test

import (
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/frontend"
)

// staged uses all of the language, and images that no platform reaches.
const staged = `# syntax=stagebuild/stagebuild:1
ARG VARIANT=debug
ARG --for=windows SUFFIX=.exe
ARG SUFFIX
FROM --platform=$BUILDPLATFORM golang AS build
ARG TARGETOS TARGETARCH
RUN --mount=type=cache,target=/c --if='TARGETARCH != "riscv64"' go build -o /out/app$SUFFIX
COPY --for=linux/arm64 <<EOF /etc/arm64
$TARGETARCH
EOF
FROM --for=linux/riscv64 never-for-riscv64 AS base
FROM --if='VARIANT == "release"' never-for-release AS base
RUN never
FROM --for=windows nanoserver AS base
FROM debian AS base
ONBUILD --for=linux/amd64 RUN trigger
FROM busybox AS tools-amd64
FROM busybox AS tools-arm64
FROM missing AS unreached
RUN never
FROM base AS app
ARG TARGETARCH
COPY --from=build /out /app
COPY --from=tools-${TARGETARCH} /bin/sh /bin/
COPY --from=busybox /bin/ls /bin/
RUN --mount=from=build,target=/src ls
`

// requested are the requested platforms for staged.
const requested = "linux/amd64,linux/arm64,windows/amd64"

func TestDeterminism(t *testing.T) {
	opts := map[string]string{"platform": requested, "build-arg:VARIANT": "debug", "build-arg:UNUSED": "x"}
	given := maps.Clone(opts)
	_, want := build(t, frontend.Build, []byte(staged), opts)
	if want.Error != "" || len(want.Definitions) != 3 {
		t.Fatalf("%d definitions, error: %s", len(want.Definitions), want.Error)
	}
	for i := range 25 {
		if _, got := build(t, frontend.Build, []byte(staged), opts); !cmp.Equal(want, got) {
			t.Fatalf("run %d differs (-first +this):\n%s", i, cmp.Diff(want, got))
		}
	}

	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, got := build(t, frontend.Build, []byte(staged), opts); !cmp.Equal(want, got) {
				t.Errorf("a concurrent run differs (-first +this):\n%s", cmp.Diff(want, got))
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(given, opts); diff != "" {
		t.Errorf("the build changed the options of the request (-want +got):\n%s", diff)
	}
}

// TestMetadataRequests checks that a build requests the image configs of the reached
// stages only, each once.
func TestMetadataRequests(t *testing.T) {
	g, got := build(t, frontend.Build, []byte(staged), map[string]string{"platform": requested})
	if got.Error != "" {
		t.Fatal(got.Error)
	}
	want := map[string]int{
		"docker.io/library/golang:latest linux/amd64":       1, // the build platform's, for all three
		"docker.io/library/debian:latest linux/amd64":       1,
		"docker.io/library/debian:latest linux/arm64":       1,
		"docker.io/library/nanoserver:latest windows/amd64": 1,
		"docker.io/library/busybox:latest linux/amd64":      1, // of two stages and a --from
		"docker.io/library/busybox:latest linux/arm64":      1,
		"docker.io/library/busybox:latest windows/amd64":    1,
	}
	if diff := cmp.Diff(want, g.configs); diff != "" {
		t.Errorf("requests for image configs (-want +got):\n%s", diff)
	}
}

// TestMissingImageIsRequestedOnce checks that a failed request is not repeated.
func TestMissingImageIsRequestedOnce(t *testing.T) {
	const dockerfile = "FROM missing AS a\nFROM --if=true missing\nCOPY --from=a / /\n"
	g, got := build(t, frontend.Build, []byte(dockerfile), map[string]string{"requestid": "frontend.lint"})
	if !strings.Contains(got.Metadata["result.json"], "not found") {
		t.Errorf("the check does not report the missing image: %v", got.Metadata)
	}
	if diff := cmp.Diff(map[string]int{"docker.io/library/missing:latest linux/amd64": 1}, g.configs); diff != "" {
		t.Errorf("requests for image configs (-want +got):\n%s", diff)
	}
}

// TestPlatformsDiffer checks that each platform gets its own variant and instructions.
func TestPlatformsDiffer(t *testing.T) {
	for _, tt := range []struct{ platform, has, lacks string }{
		{"linux/amd64", "debian", "nanoserver"},
		{"linux/arm64", "/etc/arm64", "nanoserver"},
		{"windows/amd64", "nanoserver", "/etc/arm64"},
	} {
		t.Run(tt.platform, func(t *testing.T) {
			g, got := build(t, frontend.Build, []byte(staged), map[string]string{"platform": tt.platform})
			if got.Error != "" || len(g.definitions) != 1 {
				t.Fatalf("%d definitions, error: %s", len(g.definitions), got.Error)
			}
			// The steps come before the source map, which contains the whole file.
			def, _, _ := strings.Cut(g.definitions[0], "# syntax=")
			if !strings.Contains(def, tt.has) || strings.Contains(def, tt.lacks) || strings.Contains(def, "never") {
				t.Errorf("has %s: %t, %s: %t", tt.has, strings.Contains(def, tt.has), tt.lacks, strings.Contains(def, tt.lacks))
			}
		})
	}
}
