package build

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestInterrupt interrupts builds during a step.
func TestInterrupt(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedOwnDaemon(t)
	for seconds, command := range map[string][]string{
		"3602": {"docker-stagebuild", "build"},
		"3603": {"docker-stagebuild", "build", "--frontend=image"},
		"3604": {"docker", "stagebuild", "build"},
	} {
		t.Run(strings.Join(command, " "), func(t *testing.T) {
			dir, out := testkit.WriteContext(t, map[string]string{"Dockerfile": testkit.SleepFile(seconds)}), t.TempDir()
			args := slices.Concat(command[1:], []string{"--progress=plain", "--output=type=oci,dest=" + filepath.Join(out, "image.tar"),
				"--metadata-file=" + filepath.Join(out, "metadata"), "--iidfile=" + filepath.Join(out, "iid"), dir})
			build := testkit.StartProcess(t, env.Command(t.Context(), command[0], args...))
			build.WaitForOutput(t, "42 sleeps")
			testkit.Eventually(t, func() error {
				if !testkit.IsStepRunning(t, seconds) {
					return errors.New("the step's process is not found")
				}
				return nil
			})
			if err := build.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			status, text := build.Wait(t, 30*time.Second)
			if status != 130 || !strings.HasSuffix(text, "\nInterrupted\n") {
				t.Errorf("exit status %d:\n%s", status, text)
			}
			testkit.Eventually(t, func() error {
				if testkit.IsStepRunning(t, seconds) {
					return errors.New("the step still runs")
				}
				return nil
			})
			testkit.WantEmpty(t, out)
		})
	}
}

// TestSecondInterrupt interrupts a build whose daemon no longer responds.
func TestSecondInterrupt(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedOwnDaemon(t)
	addr, err := env.StartNode(t.Context(), "frozen", env.Platform)
	if err != nil {
		t.Fatal(err)
	}
	cmd := env.Command(t.Context(), "docker-stagebuild", "build", "--progress=plain", testkit.WriteContext(t, map[string]string{"Dockerfile": testkit.SleepFile("3605")}))
	cmd.Env = append(cmd.Env, "BUILDKIT_HOST="+addr)
	build := testkit.StartProcess(t, cmd)
	build.WaitForOutput(t, "42 sleeps")
	defer func() {
		if err := env.KillNode(addr); err != nil {
			t.Error(err)
		}
	}()
	if err := env.FreezeNode(addr); err != nil {
		t.Fatal(err)
	}
	// After the first interrupt BuildKit's client waits 5 seconds for the daemon.
	began := time.Now()
	testkit.Eventually(t, func() error {
		if err := build.Signal(os.Interrupt); errors.Is(err, os.ErrProcessDone) {
			return nil
		}
		return errors.New("the build has not ended")
	})
	if status, text := build.Wait(t, time.Second); status != 130 || time.Since(began) > 3*time.Second {
		t.Errorf("exit status %d after %s:\n%s", status, time.Since(began), text)
	}
}

// TestInterruptReadingStdin interrupts a build that reads standard input to select its
// stages. The spooled input leaves no file behind.
func TestInterruptReadingStdin(t *testing.T) {
	env, _ := suite.Product(t)
	in, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = in.Close(), feed.Close() }()
	tmp := t.TempDir()
	cmd := env.Command(t.Context(), "docker-stagebuild", "build", "--progress=plain", "--stage=a,b", "-")
	cmd.Env, cmd.Stdin = append(cmd.Env, "TMPDIR="+tmp), in
	build := testkit.StartProcess(t, cmd)
	testkit.Eventually(t, func() error {
		if !hasOpenFile(t, cmd.Process.Pid, filepath.Join(tmp, "stagebuild-stdin-")) {
			return errors.New("standard input is not read")
		}
		return nil
	})
	testkit.Eventually(t, func() error {
		entries, err := os.ReadDir(tmp)
		if err == nil && len(entries) > 0 {
			err = fmt.Errorf("the spooled input would be left in %s", entries[0].Name())
		}
		return err
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if status, text := build.Wait(t, 30*time.Second); status != 130 || !strings.HasSuffix(text, "Interrupted\n") {
		t.Errorf("exit status %d:\n%s", status, text)
	}
	testkit.WantEmpty(t, tmp)
}

// hasOpenFile reports whether a process has a file open whose path begins with prefix.
func hasOpenFile(t *testing.T, pid int, prefix string) bool {
	t.Helper()
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(links, func(link string) bool {
		path, err := os.Readlink(link) // a file may have been closed since it was listed
		return err == nil && strings.HasPrefix(path, prefix)
	})
}
