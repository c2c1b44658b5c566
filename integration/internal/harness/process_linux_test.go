package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// parentVar makes this test binary the parent of TestChildDiesWithItsParent.
const parentVar = "HARNESS_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentVar) == "" {
		os.Exit(m.Run())
	}
	p, err := startProcess("child", exec.CommandContext(context.Background(), "sleep", "600"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(p.cmd.Process.Pid)
	<-p.done
}

func TestChildDiesWithItsParent(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.CommandContext(t.Context(), exe)
	parent.Env = append(os.Environ(), parentVar+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := parent.Wait(); err == nil {
		t.Error("the parent was not killed")
	}
	poll(t, func() error {
		if state := processState(pid); state != "" && state != "Z" {
			return fmt.Errorf("the child is in state %s", state)
		}
		return nil
	})
}

// processState returns the letter of proc_pid_stat(5), "" for no process.
func processState(pid int) string {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return rest[:1]
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

func TestProcessThatEndsSaysWhy(t *testing.T) {
	p, err := startProcess("thing", exec.CommandContext(t.Context(), "sh", "-c", "echo no such thing >&2; exit 3"))
	if err != nil {
		t.Fatal(err)
	}
	err = p.waitReady(t.Context(), time.Minute, func(context.Context) error { return errors.New("not yet") })
	if err == nil || !strings.Contains(err.Error(), "no such thing") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("waitReady: %v; want the status and the last lines", err)
	}
	if err := p.stop(time.Second); err != nil {
		t.Errorf("stopping an ended process: %v", err)
	}
}

func TestProcessThatIsNeverReady(t *testing.T) {
	p, err := startProcess("thing", exec.CommandContext(t.Context(), "sleep", "600"))
	if err != nil {
		t.Fatal(err)
	}
	notYet := errors.New("not yet")
	err = p.waitReady(t.Context(), 50*time.Millisecond, func(context.Context) error { return notYet })
	if !errors.Is(err, notYet) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waitReady: %v; want the last reason and the deadline", err)
	}
	if err := p.stop(10 * time.Second); err != nil {
		t.Error(err)
	}
}

func TestProcessThatIgnoresTheSignalIsKilled(t *testing.T) {
	// An ignored signal stays ignored over exec (signal(7)).
	p, err := startProcess("thing", exec.CommandContext(t.Context(), "sh", "-c", `trap "" TERM; echo deaf; exec sleep 600`))
	if err != nil {
		t.Fatal(err)
	}
	err = p.waitReady(t.Context(), 10*time.Second, func(context.Context) error {
		if !strings.Contains(p.log.String(), "deaf") {
			return errors.New("the signal is not ignored yet")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.stop(50 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "was killed") {
		t.Errorf("stop: %v; want that it was killed", err)
	}
	if ws, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGKILL {
		t.Errorf("the process ended with %v", p.cmd.ProcessState)
	}
}
