package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Suite is the environment that the tests of a package share. The first test that
// needs it starts it.
type Suite struct {
	// Options are for [Start].
	Options Options

	once   sync.Once
	env    *Env
	err    error
	failed atomic.Bool // true after a test failed with err

	product product
}

// product is the plugin and the frontend image under test, built once.
type product struct {
	once     sync.Once
	frontend string // the image's reference in the local registry
	err      error
}

// Main runs a package's tests, ends the environment, and returns the exit
// status for os.Exit. An environment that does not end well is a failure.
func (s *Suite) Main(m *testing.M) int {
	untraced()
	// A signal would otherwise end this process without its deferred work. The
	// kernel would end the daemons, but their directory would stay.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		// A daemon lets running builds end, and nobody waits for those now.
		if err := s.close(time.Second); err != nil {
			fmt.Fprintln(os.Stderr, "ending the test environment:", err)
		}
		os.Exit(130)
	}()
	status := m.Run()
	if err := s.close(stopGrace); err != nil {
		fmt.Fprintln(os.Stderr, "ending the test environment:", err)
		status = max(status, 1)
	}
	return status
}

// untraced removes the variables of OpenTelemetry. BuildKit's executor sets them for
// a build that runs the tests, and then each program would try for seconds, at its
// end, to send its own traces.
func untraced() {
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "OTEL_") || name == "TRACEPARENT" || name == "TRACESTATE" {
			_ = os.Unsetenv(name) // fails only for names that no variable has
		}
	}
}

func (s *Suite) close(grace time.Duration) error {
	s.once.Do(func() {}) // wait for a running start, and prevent a later one
	if s.env == nil {
		return nil
	}
	return s.env.close(grace)
}

// Env returns the environment. The first call starts it. Env skips the test with
// the reason if the machine can run no daemon, and fails it if the daemon does not
// start.
func (s *Suite) Env(tb testing.TB) *Env {
	tb.Helper()
	// The environment outlives the test that happens to be the first.
	s.once.Do(func() { s.env, s.err = Start(context.Background(), s.Options) })
	var unavailable *UnavailableError
	switch {
	case errors.As(s.err, &unavailable):
		tb.Skip(s.err)
	case s.err != nil && s.failed.Swap(true):
		tb.Fatal("the environment did not start; the first test that failed shows the error")
	case s.err != nil:
		tb.Fatal(s.err)
	}
	return s.env
}

// Product returns the environment with the plugin on PATH, and the reference of the
// frontend image in its registry. The first call builds both.
func (s *Suite) Product(tb testing.TB) (*Env, string) {
	tb.Helper()
	env := s.Env(tb)
	p := &s.product
	p.once.Do(func() {
		if _, p.err = env.BuildCommand(tb.Context(), "docker-stagebuild"); p.err == nil {
			p.frontend, p.err = env.PushFrontend(tb.Context(), "stagebuild/stagebuild:1")
		}
	})
	if p.err != nil {
		tb.Fatal(p.err)
	}
	return env, p.frontend
}

// NeedMirror skips a test of base images or of the request log if builds run on the
// daemon of BUILDKIT_HOST, which pulls from other registries.
func (e *Env) NeedMirror(tb testing.TB) {
	tb.Helper()
	if !e.Mirrored {
		tb.Skipf("%s pulls base images by its own configuration", e.Builder)
	}
}

// NeedOwnDaemon skips a test that starts more daemons, or reads a daemon's log, if the
// harness did not start the first daemon.
func (e *Env) NeedOwnDaemon(tb testing.TB) {
	tb.Helper()
	if e.daemon == nil {
		tb.Skipf("builds run on %s, not on a daemon that the harness started", e.Builder)
	}
}
