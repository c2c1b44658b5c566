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
