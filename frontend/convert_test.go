package frontend_test

import (
	"testing"

	"github.com/stagebuild/stagebuild/frontend"
)

// TestUnreachedBases checks builds of files with unreached bases for another platform, below
// a cross-platform input or in a stage that a named context replaces. BuildKit parses these
// bases too.
func TestUnreachedBases(t *testing.T) {
	for _, dockerfile := range []string{
		"FROM scratch AS base\nCOPY a /\nFROM base::linux/arm64 AS one\nFROM one\n",
		"FROM scratch AS base\nCOPY a /\nFROM scratch AS one\nCOPY --from=base::linux/arm64 / /\nFROM base::linux/s390x\nFROM one\n",
		"ARG BASE=base::linux/arm64\nFROM scratch AS base\nCOPY a /\nFROM $BASE AS one\nFROM one::linux/s390x\n",
		"FROM scratch AS base\nCOPY a /\nFROM base::linux/arm64 AS given\nFROM given\n",
		"FROM scratch AS base\nCOPY a /\nFROM base::linux/amd64 AS a\nFROM --needs=base::linux/arm64 base::linux/amd64\nCOPY a /\n",
		"FROM scratch AS base\nCOPY a /\nFROM scratch AS one\nCOPY --from=base::linux/arm64 / /\nFROM busybox::linux/arm64 AS later\nFROM one\n",
		"FROM scratch AS Base\nCOPY a /\nFROM scratch AS one\nCOPY --from=base::linux/arm64 / /\nFROM Base AS x\nFROM one\n",
		"FROM scratch AS Given\nCOPY a /\nFROM scratch\nCOPY --from=Given::linux/arm64 / /\n", // another case than the context's
	} {
		t.Run(dockerfile, func(t *testing.T) {
			opts := map[string]string{"platform": "linux/amd64", "context:given": "docker-image://busybox"}
			if _, o := build(t, frontend.Build, []byte(dockerfile), opts); o.Error != "" {
				t.Error(o.Error)
			}
		})
	}
}

// TestCheckErrors checks that violations in the user's text fail a build, and that those
// that lowering causes do not.
func TestCheckErrors(t *testing.T) {
	for dockerfile, want := range map[string]string{
		"# check=error=true\nFROM busybox::linux/arm64 AS a\nCOPY a /\n":                                               "",
		"# check=error=true;experimental=all\n# platforms=linux/amd64,linux/arm64\nFROM scratch\nCOPY a /\n":           "",
		"# check=error=true\nFROM --for=linux scratch\ncopy a /\nCOPY b /\n":                                           "lint violation found for rules: ConsistentInstructionCasing",
		"# check=error=true\nFROM busybox::linux/arm64 AS a\nFROM --platform=linux/arm64 busybox\ncopy a /\n":          "lint violation found for rules: ConsistentInstructionCasing, FromPlatformFlagConstDisallowed",
		"FROM --for=linux scratch\ncopy a /\nCOPY b /\n":                                                               "",
		"# check=error=true\nFROM busybox::linux/arm64 AS a\nCOPY a /\nFROM scratch\nCOPY --from=a::linux/s390x / /\n": "",
		"# check=error=true\nFROM busybox AS a\ncopy a /\nCOPY b /\nFROM scratch\nCOPY --from=a::linux/s390x / /\n":    "lint violation found for rules: ConsistentInstructionCasing",
	} {
		t.Run(dockerfile, func(t *testing.T) {
			if _, o := build(t, frontend.Build, []byte(dockerfile), map[string]string{"platform": "linux/amd64,linux/arm64"}); o.Error != want {
				t.Errorf("error %q, want %q", o.Error, want)
			}
		})
	}
}
