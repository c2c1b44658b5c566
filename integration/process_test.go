package integration

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// process is a started program.
type process struct {
	cmd    *exec.Cmd
	output lockedBuffer
	done   chan struct{} // closed when the program has ended
}

// startProcess starts a prepared command, which is killed when the test ends.
func startProcess(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, done: make(chan struct{})}
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

// waitForOutput waits until the program has written a text.
func (p *process) waitForOutput(t *testing.T, text string) {
	t.Helper()
	eventually(t, func() error {
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

// signal sends a signal to the program. It returns os.ErrProcessDone if the program has
// ended.
func (p *process) signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// wait waits until the program ends, within a limit, and returns its exit status and
// output.
func (p *process) wait(t *testing.T, limit time.Duration) (int, string) {
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

// eventually waits until check returns nil, for at most a minute.
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
