package builders

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// uid is the user ID of an otherwise unknown user.
const uid = 61234

// asUser runs a command as that user, in a mount namespace where /etc/passwd knows them.
// It remounts their bin directory so that setuid programs work even on a /tmp that is
// mounted nosuid.
const asUser = `set -e
dir=$1; shift
mount --bind "$dir/bin" "$dir/bin"
mount -o remount,bind,suid "$dir/bin"
for file in passwd group subuid subgid; do
	mount --bind "$dir/$file" "/etc/$file"
done
exec setpriv --reuid %[1]d --regid %[1]d --clear-groups "$@"
`

// newRootlessUser creates a home for an unprivileged user who has rootlesskit.
func newRootlessUser(t *testing.T) *standaloneUser {
	t.Helper()
	u := newStandaloneUser(t)
	// Only root can read the environment's directory.
	home, err := os.MkdirTemp("/tmp", "sb-home-") //nolint:usetesting // only root can read that too
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		u.stop(t)
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	bin := filepath.Join(home, "bin")
	for _, dir := range []string{bin, filepath.Join(home, "context")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	install(t, bin, filepath.Join(u.env.BinDir, "docker-stagebuild"), 0o755)
	for _, name := range []string{"buildkitd", "runc"} {
		install(t, bin, filepath.Join(u.vars["HOME"], "tools", name), 0o755)
	}
	install(t, bin, findProgram(t, u, "rootlesskit", "rootlesskit"), 0o755)
	// These map the user's range of subordinate IDs, for which they must be setuid root.
	for _, name := range []string{"newuidmap", "newgidmap"} {
		install(t, bin, findProgram(t, u, "uidmap", name), 0o755|fs.ModeSetuid)
	}
	for file, line := range map[string]string{
		"passwd": fmt.Sprintf("rootless:x:%d:%[1]d::%s:/bin/sh", uid, home), "group": fmt.Sprintf("rootless:x:%d:", uid),
		"subuid": "rootless:200000:65536", "subgid": "rootless:200000:65536",
	} {
		known, err := os.ReadFile("/etc/" + file)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		testkit.WriteFile(t, filepath.Join(home, file), string(known)+line+"\n")
	}
	script := filepath.Join(home, "as-user")
	testkit.WriteFile(t, script, fmt.Sprintf(asUser, uid))
	u.as = []string{"unshare", "--mount", "sh", script, home}
	u.state = filepath.Join(home, ".local", "state", "stagebuild")
	u.vars["HOME"], u.vars["USER"], u.vars["XDG_STATE_HOME"] = home, "rootless", ""
	u.vars["BUILDX_CONFIG"], u.vars["DOCKER_CONFIG"] = filepath.Join(home, "buildx"), filepath.Join(home, "docker")
	u.vars["PATH"] = bin + ":/usr/bin:/bin"
	return u
}

// findProgram returns the path of an installed program, or of one from a Debian package.
func findProgram(t *testing.T, u *standaloneUser, pkg, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	dir, err := u.env.DebianPackage(t.Context(), pkg)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "usr", "bin", name)
}

// install copies a program into a directory.
func install(t *testing.T, dir, path string, mode fs.FileMode) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(to, data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, mode); err != nil {
		t.Fatal(err)
	}
}

// TestEmbeddedRootless runs the private daemon and a step as an unprivileged user.
func TestEmbeddedRootless(t *testing.T) {
	u := newRootlessUser(t)
	home := u.vars["HOME"]
	dir := filepath.Join(home, "context")
	busybox := filepath.Join(dir, "busybox")
	image := testkit.ReadImage(t, u.env, "library/busybox:latest", u.env.Platform)
	data, err := image.ReadFile("bin/busybox")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(busybox, data, 0o755); err != nil {
		t.Fatal(err)
	}
	testkit.WriteFile(t, filepath.Join(dir, "Dockerfile"), "FROM scratch AS run\nCOPY busybox /bin/sh\nRUN echo $((6*7)) > /done\nFROM scratch\nCOPY --from=run /done /\n")
	err = filepath.WalkDir(home, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || strings.HasPrefix(path, filepath.Join(home, "bin")) {
			return err
		}
		return os.Chown(path, uid, uid)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Using a private BuildKit daemon (state: " + u.state, "CACHED"} {
		printed, err := u.run(t, "docker-stagebuild", "build", "--progress=plain", "--output=type=local,dest="+filepath.Join(home, "out"), dir)
		if err != nil {
			log, _ := os.ReadFile(filepath.Join(u.state, "buildkitd.log"))
			t.Fatalf("%v\n%s\n%s", err, printed.Stderr, log)
		}
		if !strings.Contains(printed.Stderr, want) {
			t.Errorf("the build does not contain %q:\n%s", want, printed.Stderr)
		}
	}
	if done, err := os.ReadFile(filepath.Join(home, "out", "done")); err != nil || string(done) != "42\n" {
		t.Errorf("done is %q, %v", done, err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", u.daemonPID(t)))
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("\nUid:\t%d\t", uid); !strings.Contains(string(status), want) {
		t.Errorf("the daemon does not run as user %d:\n%s", uid, status)
	}
}
