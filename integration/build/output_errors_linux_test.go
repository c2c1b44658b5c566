package build

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// buildInMount runs a build in a directory on which shell commands mount and prepare
// another file system that only the build sees. It returns the exit status and the output
// of the build, and the files in the directory afterwards.
func buildInMount(t *testing.T, env *harness.Env, dir, mount, prepare string, args ...string) (status int, output string, files []string) {
	t.Helper()
	// A mount over the current directory is visible only after entering it again.
	const script = `set -e; mount --make-rprivate /; cd "$1"; eval "$2"; cd "$1"; eval "$3"; shift 3
status=0; "$@" >/dev/null || status=$?; find . ! -type d; exit $status`
	plugin := env.Command(t.Context(), "docker-stagebuild")
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", script, "sh", dir, mount, prepare, plugin.Path, "build"}, args...)...)
	cmd.Env = plugin.Env
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	files = strings.Fields(string(out))
	slices.Sort(files)
	return cmd.ProcessState.ExitCode(), stderr.String(), files
}

// TestOutputErrors writes results to places that cannot be written. A file is either
// complete or missing.
func TestOutputErrors(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedOwnDaemon(t)
	const (
		full     = "mount -t tmpfs -o size=1m none ." // the image is larger
		readOnly = "mount -t tmpfs -o ro none ."
		noSpace  = ": no space left on device\n"
		noWrites = ": read-only file system\n"
	)
	dir, out := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM busybox\n"}), t.TempDir()
	layout := "--output=type=oci,dest=" + filepath.Join(t.TempDir(), "image.tar")
	for _, test := range []struct {
		name, mount, arg string
		want             string // of the error
		isPartial        bool   // a directory may be incomplete
	}{
		{name: "tar, disk full", mount: full, arg: "--output=type=tar,dest=f.tar", want: "write f.tar" + noSpace},
		{name: "oci, disk full", mount: full, arg: "--output=type=oci,dest=f.tar", want: "write f.tar" + noSpace},
		{name: "docker, disk full", mount: full, arg: "--output=type=docker,dest=f.tar", want: "write f.tar" + noSpace},
		{name: "oci directory, disk full", mount: full, arg: "--output=type=oci,tar=false,dest=layout", want: noSpace, isPartial: true},
		{name: "local, disk full", mount: full, arg: "--output=type=local,dest=files", want: noSpace, isPartial: true},
		{name: "tar, read-only", mount: readOnly, arg: "--output=type=tar,dest=f.tar", want: "open f.tar" + noWrites},
		{name: "oci directory, read-only", mount: readOnly, arg: "--output=type=oci,tar=false,dest=layout", want: "mkdir layout" + noWrites},
		{name: "local, read-only", mount: readOnly, arg: "--output=type=local,dest=files", want: "mkdir files" + noWrites},
		{name: "metadata, read-only", mount: readOnly, arg: "--metadata-file=metadata.json", want: noWrites},
		{name: "image ID, disk full", mount: full, arg: "--iidfile=iid", want: noSpace},
	} {
		t.Run(test.name, func(t *testing.T) {
			args, prepare := []string{test.arg, dir}, ""
			if !strings.HasPrefix(test.arg, "--output") {
				args = append(args, layout)
				prepare = "cat /dev/zero >other 2>/dev/null || true"
			}
			status, text, files := buildInMount(t, env, out, test.mount, prepare, args...)
			if status != 1 || !strings.Contains(text, test.want) {
				t.Errorf("exit status %d, want 1 and %q:\n%s", status, test.want, text)
			}
			files = slices.DeleteFunc(files, func(name string) bool { return name == "./other" })
			if len(files) > 0 && !test.isPartial {
				t.Errorf("the output is incomplete: %v", files)
			}
		})
	}
}

// TestOutputToMountedFile writes to a bind-mounted file in a read-only directory, as in a
// container.
func TestOutputToMountedFile(t *testing.T) {
	env, _ := suite.Product(t)
	env.NeedOwnDaemon(t)
	dir := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY a /\n", "a": "content", "f.tar": ""})
	file := filepath.Join(dir, "f.tar")
	prepare := ": >f.tar; mount --bind " + file + " f.tar; mount -o remount,ro ."
	if status, text, _ := buildInMount(t, env, t.TempDir(), "mount -t tmpfs none .", prepare, "--output=type=tar,dest=f.tar", dir); status != 0 {
		t.Errorf("exit status %d:\n%s", status, text)
	}
	if data, err := os.ReadFile(file); err != nil || !strings.Contains(string(data), "content") {
		t.Errorf("the file was not written: %q, %v", data, err)
	}
}
