package engines

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stagebuild/stagebuild/integration/harness"
)

// Containers, and what is mounted for them, end with an engine, also with one
// that is killed.
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
				// Seconds to sleep, which nobody else sleeps.
				mark := fmt.Sprintf("600.%d%d", os.Getpid(), time.Now().Nanosecond())
				if _, err := g.Docker(t.Context(), "run", "--detach", "--init", "busybox", "sleep", mark); err != nil {
					t.Fatal(err)
				}
				poll(t, func() error {
					if !running(t, mark) {
						return errors.New("the container does not run")
					}
					return nil
				})
				if err := end(g); err != nil {
					t.Error(err)
				}
				poll(t, func() error {
					if running(t, mark) {
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

// running says whether a process runs whose last argument is arg.
func running(t *testing.T, arg string) bool {
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

// poll waits until check returns nil, for 10 seconds at most.
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
