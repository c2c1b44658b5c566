package engines

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestNothingOutlivesAnEngine checks that the containers and mounts of an engine end with
// it, even if it is killed.
func TestNothingOutlivesAnEngine(t *testing.T) {
	env := suite.Env(t)
	env.NeedOwnDaemon(t)
	each := map[string]func(*harness.Engine) error{
		"stopped": (*harness.Engine).Stop,
		"killed":  (*harness.Engine).Kill,
	}
	for how, end := range each {
		for _, kind := range allKinds {
			t.Run(how+"/"+string(kind), func(t *testing.T) {
				t.Parallel()
				g := startEngine(t, env, kind)
				// No other process sleeps as many seconds.
				mark := fmt.Sprintf("600.%d%d", os.Getpid(), time.Now().Nanosecond())
				if _, err := g.Docker(t.Context(), "run", "--detach", "--init", "busybox", "sleep", mark); err != nil {
					t.Fatal(err)
				}
				testkit.Eventually(t, func() error {
					if !testkit.IsStepRunning(t, mark) {
						return errors.New("the container does not run")
					}
					return nil
				})
				if err := end(g); err != nil {
					t.Error(err)
				}
				testkit.Eventually(t, func() error {
					if testkit.IsStepRunning(t, mark) {
						return errors.New("the container still runs")
					}
					return nil
				})
				mounts, err := os.ReadFile("/proc/self/mountinfo")
				if err != nil {
					t.Fatal(err)
				}
				if bytes.Contains(mounts, []byte(env.Dir)) {
					t.Errorf("mounts are left:\n%s", mounts)
				}
			})
		}
	}
}
