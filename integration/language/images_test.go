package language

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestCrossPlatformImages copies from images for a platform that is not built: two in one
// instruction, and a different one on each platform. The images have triggers, which run
// only in a stage that is FROM one.
func TestCrossPlatformImages(t *testing.T) {
	env, _ := suite.Product(t)
	for _, name := range []string{"amd64", "arm64"} {
		err := env.Registry.PushFiles(t.Context(), "images/"+name+":1", "linux/s390x", v1.Config{OnBuild: []string{"COPY a /triggered"}},
			map[string]harness.File{"name": {Content: name}})
		if err != nil {
			t.Fatal(err)
		}
	}
	res := testkit.BuildWithEveryClient(t, &suite, "images/result", testkit.Request{
		Platforms: testkit.BothPlatforms(),
		Files:     map[string]string{"a": "a"},
		Dockerfile: strings.ReplaceAll(`FROM --platform=$BUILDPLATFORM busybox AS mounted
RUN --mount=from=REPO/amd64:1::linux/s390x,target=/1 --mount=from=REPO/arm64:1::linux/s390x,target=/2 \
    cat /1/name /2/name > /names
FROM REPO/arm64:1::linux/s390x AS based

FROM scratch
COPY --from=REPO/$TARGETARCH:1::linux/s390x / /copied
COPY --from=mounted /names /
COPY --from=based / /based
`, "REPO", env.Registry.Ref("images")),
	})
	for _, platform := range testkit.BothPlatforms() {
		testkit.WantFile(t, res, platform, "copied/name", strings.TrimPrefix(platform, "linux/"))
		testkit.WantFile(t, res, platform, "names", "amd64arm64")
		testkit.WantFile(t, res, platform, "based/name", "arm64")
		testkit.WantFiles(t, res, platform, map[string]bool{"copied/triggered": false, "based/triggered": true})
	}
}
