package frontend_test

import (
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/stagebuild/stagebuild/frontend"
)

// TestTargetsBelowCheckComments lists the stages of files in which a comment
// configures the check of one instruction.
func TestTargetsBelowCheckComments(t *testing.T) {
	const stages = "FROM alpine AS one\n# check=skip=StageNameCasing\nRUN true\n# Two of them.\nFROM alpine AS two\n"
	for name, dockerfile := range map[string]string{"plain": stages, "staged": stages + "RUN --if=true true\n"} {
		_, o := build(t, frontend.Build, []byte(dockerfile), map[string]string{
			"requestid": targets.RequestTargets, "frontend.caps": "moby.buildkit.frontend.subrequests",
		})
		if o.Error != "" || !strings.Contains(o.Metadata["result.txt"], "two") {
			t.Errorf("%s: error %q, targets %q", name, o.Error, o.Metadata["result.txt"])
		}
	}
}

// TestPlatformsAreNoDescription checks and builds files in which BuildKit's linter
// looks for the description of a stage or arg: "# platforms=" is none, nor meant as one.
func TestPlatformsAreNoDescription(t *testing.T) {
	const rule, platforms = "InvalidDefinitionDescription", "# platforms=linux/amd64\n"
	for dockerfile, found := range map[string]bool{
		platforms + "FROM scratch AS x\n":                            false,
		platforms + "\n \nFROM scratch AS x\n":                       false,
		platforms + "ARG X\nFROM scratch\n":                          false,
		"# About.\n" + platforms + "FROM scratch AS x\n":             false,
		platforms + "# About.\nFROM scratch AS x\n":                  true,
		platforms + "FROM scratch AS x\n# About.\nFROM x AS y\n":     true,
		platforms + "# x About.\nFROM scratch AS x\n":                false,
		"# About.\nFROM scratch AS x\nFROM --if=true scratch AS y\n": true,
	} {
		for request, opts := range map[string]map[string]string{"build": {}, "check": {"requestid": "frontend.lint"}} {
			opts["build-arg:BUILDKIT_DOCKERFILE_CHECK"] = "experimental=all"
			g, o := build(t, frontend.Build, []byte(dockerfile), opts)
			warned := strings.Contains(o.Metadata["result.txt"], rule)
			for _, w := range g.warnings {
				warned = warned || strings.Contains(w.Message, rule)
			}
			if o.Error != "" || warned != found {
				t.Errorf("%s of %q: found: %t, error: %s", request, dockerfile, warned, o.Error)
			}
		}
	}
}
