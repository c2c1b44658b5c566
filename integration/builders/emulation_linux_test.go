package builders

import (
	"errors"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestRunOnEveryPlatform runs steps for two platforms, one of them under an emulator.
func TestRunOnEveryPlatform(t *testing.T) {
	env := suite.Env(t)
	undo, err := env.Emulate(t.Context())
	if unavailable, ok := errors.AsType[*harness.UnavailableError](err); ok {
		t.Skip(unavailable.Reason)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := undo(); err != nil {
			t.Error(err)
		}
	})
	res := testkit.BuildWithEveryClient(t, &suite, "emulation/runs", testkit.Request{
		Platforms: testkit.BothPlatforms(),
		Dockerfile: `FROM --for=linux/arm64 busybox AS build
RUN uname -m > /machine && echo from the variant >> /machine
FROM busybox AS build
RUN uname -m > /machine

FROM busybox
COPY --from=build /machine /
RUN --for=linux/arm64 echo $(uname -m) alone > /alone
RUN --mount=from=build::linux/arm64,target=/other cat /other/machine > /other-machine
`,
	})
	testkit.WantFile(t, res, "linux/amd64", "machine", "x86_64\n")
	testkit.WantFile(t, res, "linux/arm64", "machine", "aarch64\nfrom the variant\n")
	testkit.WantFiles(t, res, "linux/amd64", map[string]bool{"alone": false})
	testkit.WantFile(t, res, "linux/arm64", "alone", "aarch64 alone\n")
	for _, platform := range testkit.BothPlatforms() {
		testkit.WantFile(t, res, platform, "other-machine", "aarch64\nfrom the variant\n")
	}
}
