package language

import (
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// manyNeedsFile is a file whose needed stages are reached in every possible way: from the
// base of the target, from a COPY, for another platform, and from another needed stage.
// FAIL names the platform on which the test fails. The failing stage beside it is dropped
// or not reached.
const manyNeedsFile = `ARG FAIL=none
FROM --platform=$BUILDPLATFORM busybox AS test
ARG TARGETARCH
ARG FAIL
RUN --network=none test "$TARGETARCH" != "$FAIL"
FROM --platform=$BUILDPLATFORM --needs=test busybox AS lint
RUN --network=none true
FROM --platform=$BUILDPLATFORM busybox AS only-s390x
ARG TARGETARCH
RUN --network=none test "$TARGETARCH" = s390x
FROM --platform=$BUILDPLATFORM busybox AS fails
RUN --network=none false

FROM --for=windows --needs=fails scratch AS lib
COPY a /never
FROM --needs=lint scratch AS lib
COPY a /lib
FROM --needs=only-s390x::linux/s390x scratch AS tools
COPY a /tools

FROM tools AS app
COPY --from=lib /lib /lib
FROM app AS release
COPY a /release
FROM --needs=fails release AS more
`

// TestNeedsOnSeveralPlatforms builds a stage for several platforms with different needed
// stages: only those of each platform run.
func TestNeedsOnSeveralPlatforms(t *testing.T) {
	env, frontend := suite.Product(t)
	r := testkit.Request{
		Platforms:  testkit.BothPlatforms(),
		Target:     "release",
		Files:      map[string]string{"a": "a"},
		Dockerfile: manyNeedsFile,
	}
	// The plain file has no needed stages: the image is the same.
	res := buildStagedAndPlain(t, "needs/several", r, `FROM scratch AS lib
COPY a /lib
FROM scratch AS app
COPY a /tools
COPY --from=lib /lib /lib
FROM app AS release
COPY a /release
`)
	for _, platform := range testkit.BothPlatforms() {
		testkit.WantFiles(t, res, platform, map[string]bool{"lib": true, "tools": true, "release": true, "never": false})
	}

	for i, w := range testkit.Clients(frontend) {
		platform := testkit.BothPlatforms()[i%2]
		r.Args = map[string]string{"FAIL": strings.TrimPrefix(platform, "linux/")}
		err := w.Build(t, env, r.WriteContext(t, frontend), "needs/refused:1", r)
		for _, want := range []string{`needed stage "test" for ` + platform + ` failed`, `   6 | >>> RUN --network=none test "$TARGETARCH" != "$FAIL"`} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s does not contain %q: %v", w.Name, want, err)
			}
		}
	}
	r.Args, r.Target = nil, "more"
	err := testkit.Clients(frontend)[0].Build(t, env, r.WriteContext(t, frontend), "needs/refused:1", r)
	if err == nil || !strings.Contains(err.Error(), `RUN --network=none false`) {
		t.Errorf("a target whose own need fails was built: %v", err)
	}
}
