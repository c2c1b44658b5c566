package integration

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestInterrupt interrupts builds in the middle of a step.
func TestInterrupt(t *testing.T) {
	env, _ := productEnv(t)
	env.NeedOwnDaemon(t)
	for seconds, command := range map[string][]string{
		"3602": {"docker-stagebuild", "build"},
		"3603": {"docker-stagebuild", "build", "--frontend=image"},
		"3604": {"docker", "stagebuild", "build"},
	} {
		t.Run(strings.Join(command, " "), func(t *testing.T) {
			dir, out := writeContext(t, map[string]string{"Dockerfile": sleeper(seconds)}), t.TempDir()
			args := slices.Concat(command[1:], []string{"--progress=plain", "--output=type=oci,dest=" + filepath.Join(out, "image.tar"),
				"--metadata-file=" + filepath.Join(out, "metadata"), "--iidfile=" + filepath.Join(out, "iid"), dir})
			build := start(t, env.Command(t.Context(), command[0], args...))
			build.awaitOutput(t, "42 sleeps")
			eventually(t, func() error {
				if !runs(t, seconds) {
					return errors.New("the step's process is not found")
				}
				return nil
			})
			if err := build.cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			status, text := build.wait(t, 15*time.Second)
			if status != 130 || !strings.HasSuffix(text, "\nInterrupted\n") {
				t.Errorf("exit status %d:\n%s", status, text)
			}
			eventually(t, func() error {
				if runs(t, seconds) {
					return errors.New("the step still runs")
				}
				return nil
			})
			wantEmpty(t, out)
		})
	}
}

// TestSecondInterrupt interrupts a build whose daemon does not answer any more.
func TestSecondInterrupt(t *testing.T) {
	env, _ := productEnv(t)
	env.NeedOwnDaemon(t)
	addr, err := env.StartNode(t.Context(), "frozen", env.Platform)
	if err != nil {
		t.Fatal(err)
	}
	cmd := env.Command(t.Context(), "docker-stagebuild", "build", "--progress=plain", writeContext(t, map[string]string{"Dockerfile": sleeper("3605")}))
	cmd.Env = append(cmd.Env, "BUILDKIT_HOST="+addr)
	build := start(t, cmd)
	build.awaitOutput(t, "42 sleeps")
	defer func() {
		if err := env.KillNode(addr); err != nil {
			t.Error(err)
		}
	}()
	if err := env.FreezeNode(addr); err != nil {
		t.Fatal(err)
	}
	// After one interrupt BuildKit's client waits for the daemon, 5 seconds long.
	began := time.Now()
	eventually(t, func() error {
		if err := build.cmd.Process.Signal(os.Interrupt); errors.Is(err, os.ErrProcessDone) {
			return nil
		}
		return errors.New("the build has not ended")
	})
	if status, text := build.wait(t, time.Second); status != 130 || time.Since(began) > 3*time.Second {
		t.Errorf("exit status %d after %s:\n%s", status, time.Since(began), text)
	}
}

// runs says whether a process runs whose last argument is arg.
func runs(t *testing.T, arg string) bool {
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
