package integration

import (
	"strings"
	"testing"
)

// needingMany is a file in which needs are reached in every way: from the target's
// base, from what it copies, for a platform of its own, over another need. FAIL names the
// platform on which the test fails, and a stage that has to fail beside it is
// dropped or not reached.
const needingMany = `ARG FAIL=none
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

// TestNeedsOfSeveralPlatforms builds a stage for several platforms, which need
// different things: what is needed runs for each, and nothing else does.
func TestNeedsOfSeveralPlatforms(t *testing.T) {
	env, frontend := productEnv(t)
	r := request{
		platforms:  bothPlatforms,
		target:     "release",
		files:      map[string]string{"a": "a"},
		dockerfile: needingMany,
	}
	// The plain file has no needs: the image is the same.
	res := buildLikePlain(t, "needs/several", r, `FROM scratch AS lib
COPY a /lib
FROM scratch AS app
COPY a /tools
COPY --from=lib /lib /lib
FROM app AS release
COPY a /release
`)
	for _, platform := range bothPlatforms {
		wantFiles(t, res, platform, map[string]bool{"lib": true, "tools": true, "release": true, "never": false})
	}

	for i, w := range ways(frontend) {
		platform := bothPlatforms[i%2]
		r.args = map[string]string{"FAIL": strings.TrimPrefix(platform, "linux/")}
		err := w.build(t, env, r.context(t, frontend), "needs/refused:1", r)
		for _, want := range []string{`stage "test" for ` + platform + `, which is needed, failed`, `   6 | >>> RUN --network=none test "$TARGETARCH" != "$FAIL"`} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s does not say %q: %v", w.name, want, err)
			}
		}
	}
	r.args, r.target = nil, "more"
	err := ways(frontend)[0].build(t, env, r.context(t, frontend), "needs/refused:1", r)
	if err == nil || !strings.Contains(err.Error(), `RUN --network=none false`) {
		t.Errorf("a target whose own need fails was built: %v", err)
	}
}
