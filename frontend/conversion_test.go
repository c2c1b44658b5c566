package frontend_test

import (
	"testing"

	"github.com/stagebuild/stagebuild/frontend"
)

// TestUnaskedBases builds files with bases that are for another platform, and that BuildKit
// reads although nothing is made from them: below what is built for a platform that is no
// target, and in a stage that a named context stands for.
func TestUnaskedBases(t *testing.T) {
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
		opts := map[string]string{"platform": "linux/amd64", "context:given": "docker-image://busybox"}
		if _, o := build(t, frontend.Build, []byte(dockerfile), opts); o.Error != "" {
			t.Errorf("%q: %s", dockerfile, o.Error)
		}
	}
}

// TestCheckErrors has a build fail for what a check finds in the user's text, and for
// nothing that is written for BuildKit alone.
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
		if _, o := build(t, frontend.Build, []byte(dockerfile), map[string]string{"platform": "linux/amd64,linux/arm64"}); o.Error != want {
			t.Errorf("%q: %q, want %q", dockerfile, o.Error, want)
		}
	}
}
