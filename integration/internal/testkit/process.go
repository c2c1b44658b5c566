package testkit

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Process is a started program.
type Process struct {
	cmd    *exec.Cmd
	output lockedBuffer
	done   chan struct{} // closed when the program has ended
}

// StartProcess starts a prepared command, which is killed when the test ends.
func StartProcess(t *testing.T, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.output, &p.output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // the status is in ProcessState
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-p.done
	})
	return p
}

// WaitForOutput waits until the program has written a text.
func (p *Process) WaitForOutput(t *testing.T, text string) {
	t.Helper()
	Eventually(t, func() error {
		select {
		case <-p.done:
			t.Fatalf("%s ended before it wrote %q:\n%s", p.cmd.Path, text, p.output.String())
		default:
		}
		if out := p.output.String(); !strings.Contains(out, text) {
			return fmt.Errorf("%s has not written %q:\n%s", p.cmd.Path, text, out)
		}
		return nil
	})
}

// Signal sends a signal to the program. It returns os.ErrProcessDone if the program has
// ended.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Wait waits until the program ends, within a limit, and returns its exit status and
// output.
func (p *Process) Wait(t *testing.T, limit time.Duration) (int, string) {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		t.Fatalf("%s has not ended within %s:\n%s", p.cmd.Path, limit, p.output.String())
	}
	return p.cmd.ProcessState.ExitCode(), p.output.String()
}

// Eventually waits until check returns nil, for at most a minute.
func Eventually(t *testing.T, check func() error) {
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

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String returns the content so far.
func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// SleepFile returns a Dockerfile whose build prints "42 sleeps" and then sleeps. No other
// process may sleep the same number of seconds, so that a test can find this one.
func SleepFile(seconds string) string {
	return "FROM busybox\nRUN echo $((6 * 7)) sleeps; sleep " + seconds + "\n"
}

// IsStepRunning reports whether a process runs whose last argument is arg.
func IsStepRunning(t *testing.T, arg string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		data, err := os.ReadFile(file) // a process may have ended since it was listed
		return err == nil && bytes.HasSuffix(data, []byte("\x00"+arg+"\x00"))
	})
}
