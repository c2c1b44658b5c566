package build

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/result"
)

// TestReportOfAnInterruptedRun says what had failed before, and that it was interrupted.
func TestReportOfAnInterruptedRun(t *testing.T) {
	results := []*resultBuild{
		{Result: &result.Result{Name: "slow"}, outcome: &outcome{err: context.Canceled}},
		{Result: &result.Result{Name: "bad"}, outcome: &outcome{err: errors.New("exit code 3")}},
	}
	err := failuresOf(results)
	for _, test := range []struct {
		err    error
		status int
		text   string
	}{
		{err, cli.ExitFailed, "ERROR: bad: exit code 3\n"},
		{errors.Join(err, context.Canceled), cli.ExitInterrupted, "ERROR: bad: exit code 3\nInterrupted\n"},
	} {
		var out strings.Builder
		if got := cli.Report(&out, test.err); got != test.status || out.String() != test.text {
			t.Errorf("status %d, %q", got, &out)
		}
	}
}
