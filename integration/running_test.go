package integration

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// running is a program that was started, and that a test does something to.
type running struct {
	cmd    *exec.Cmd
	output lockedBuffer
	done   chan struct{} // closed when it has ended
}

// start starts a prepared program. It is killed at the end of the test.
func start(t *testing.T, cmd *exec.Cmd) *running {
	t.Helper()
	r := &running{cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &r.output, &r.output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // the status is in ProcessState
		close(r.done)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has mostly ended
		<-r.done
	})
	return r
}

// awaitOutput waits until the program has written a text.
func (r *running) awaitOutput(t *testing.T, text string) {
	t.Helper()
	eventually(t, func() error {
		select {
		case <-r.done:
			t.Fatalf("%s ended before it wrote %q:\n%s", r.cmd.Path, text, r.output.String())
		default:
		}
		if out := r.output.String(); !strings.Contains(out, text) {
			return fmt.Errorf("%s has not written %q:\n%s", r.cmd.Path, text, out)
		}
		return nil
	})
}

// wait returns the exit status of the program, which has to end within a limit,
// and what it wrote.
func (r *running) wait(t *testing.T, limit time.Duration) (int, string) {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-r.done:
	case <-timer.C:
		t.Fatalf("%s has not ended within %s:\n%s", r.cmd.Path, limit, r.output.String())
	}
	return r.cmd.ProcessState.ExitCode(), r.output.String()
}

// eventually waits until check returns nil, for a minute at most.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for err := check(); err != nil; err = check() {
		select {
		case <-deadline.C:
			t.Fatal(err)
		case <-tick.C:
		}
	}
}

// lockedBuffer is a buffer that can be read while it is written to.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends p.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String returns everything written so far.
func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
