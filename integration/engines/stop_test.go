package engines

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
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
				poll(t, func() error {
					if !isRunning(t, mark) {
						return errors.New("the container does not run")
					}
					return nil
				})
				if err := end(g); err != nil {
					t.Error(err)
				}
				poll(t, func() error {
					if isRunning(t, mark) {
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

// isRunning reports whether a process runs whose last argument is arg.
func isRunning(t *testing.T, arg string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		// A process may have ended since it was listed.
		data, err := os.ReadFile(file)
		if err == nil && bytes.HasSuffix(data, []byte("\x00"+arg+"\x00")) {
			return true
		}
	}
	return false
}

// poll waits until check returns nil, for at most 10 seconds.
func poll(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for err := check(); err != nil; err = check() {
		select {
		case <-deadline:
			t.Fatal(err)
		case <-tick.C:
		}
	}
}
