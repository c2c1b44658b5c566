package frontend_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagebuild/stagebuild/frontend"
)

// largeFile returns a staged Dockerfile of about 1 MiB.
func largeFile() string {
	var b strings.Builder
	b.WriteString("ARG DEBUG=0\nFROM alpine\n")
	for b.Len() < 1<<20 {
		b.WriteString("RUN --if=DEBUG \\\n  " + strings.Repeat("x", 1000) + "\n")
	}
	return b.String()
}

func TestLargeFile(t *testing.T) {
	dockerfile := largeFile() + "RUN --for=linux last\n"
	g, got := build(t, frontend.Build, []byte(dockerfile), nil)
	if got.Error != "" || len(g.definitions) != 1 || !strings.Contains(g.definitions[0], "last") {
		t.Errorf("%d definitions, error: %s", len(g.definitions), got.Error)
	}

	invalid := dockerfile + "RUN --if=DEBUGG x\n"
	_, got = build(t, frontend.Build, []byte(invalid), nil)
	line := strings.Count(invalid, "\n")
	if want := fmt.Sprintf(`Dockerfile:%d:10: unknown name "DEBUGG" in the condition; did you mean "DEBUG"?`, line); got.Error != want {
		t.Errorf("error is %q, want %q", got.Error, want)
	}
	if len(got.Sources) != 1 || got.Sources[0].Ranges[0] != fmt.Sprintf("%d:9-%d:15", line, line) {
		t.Errorf("the error does not point at line %d", line)
	}
}

// manyStages returns a chain of about n/3 stages, each with two variants and another stage
// that it copies from.
func manyStages(n int) string {
	var b strings.Builder
	b.WriteString("ARG DEBUG=0\nFROM alpine AS s0\n")
	for i := 1; i < n/3; i++ {
		fmt.Fprintf(&b, "FROM --for=windows nanoserver AS s%d\nRUN never\n", i)
		fmt.Fprintf(&b, "FROM busybox AS tool%d-amd64\n", i)
		fmt.Fprintf(&b, "FROM s%d AS s%d\nCOPY --from=tool%d-$TARGETARCH /bin/sh /bin/\nRUN --if=DEBUG gdb\n", i-1, i, i)
	}
	return b.String()
}

// TestManyStages converts a file of 5,000 stages.
func TestManyStages(t *testing.T) {
	dockerfile := manyStages(5000)
	g, got := build(t, frontend.Build, []byte(dockerfile), map[string]string{"platform": "linux/amd64"})
	if got.Error != "" || len(g.definitions) != 1 {
		t.Fatalf("%d definitions, error: %s", len(g.definitions), got.Error)
	}
	want := map[string]int{
		"docker.io/library/alpine:latest linux/amd64":  1,
		"docker.io/library/busybox:latest linux/amd64": 1,
	}
	if diff := cmp.Diff(want, g.configs); diff != "" {
		t.Errorf("requests for image configs (-want +got):\n%s", diff)
	}
}

// platformLadder returns a chain of stages, each of which copies from the one above for
// two platforms.
func platformLadder(n int) string {
	var b strings.Builder
	b.WriteString("FROM scratch AS s0\nCOPY f /a/\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&b, "FROM scratch AS s%d\n", i)
		fmt.Fprintf(&b, "COPY --from=s%d::linux/arm64 /a /a\nCOPY --from=s%d::linux/amd64 /a /b\n", i-1, i-1)
	}
	return b.String()
}

// TestPlatformLadder checks that the size of a definition grows with the number of its
// stages, not with the number of paths between them.
func TestPlatformLadder(t *testing.T) {
	size := func(n int) int {
		g, got := build(t, frontend.Build, []byte(platformLadder(n)), nil)
		if got.Error != "" || len(g.definitions) != 1 {
			t.Fatalf("%d stages: %d definitions, error: %s", n, len(g.definitions), got.Error)
		}
		return len(g.definitions[0])
	}
	const few = 5
	bytes := size(few)
	for n := 2 * few; n <= 8*few; n *= 2 {
		was := bytes
		if bytes = size(n); bytes > 3*was {
			t.Fatalf("the definition of %d stages has %d bytes, that of %d stages has %d", n/2, was, n, bytes)
		}
	}
}
