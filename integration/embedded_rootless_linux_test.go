package integration

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// uid is that of a user who is nobody else.
const uid = 61234

// asUser runs a command as the user, whom only this process and its children know:
// it has mounts of its own. Setuid programs of the user's count also where /tmp is
// mounted without them, as BuildKit mounts a tmpfs.
const asUser = `set -e
dir=$1; shift
mount --bind "$dir/bin" "$dir/bin"
mount -o remount,bind,suid "$dir/bin"
for file in passwd group subuid subgid; do
	mount --bind "$dir/$file" "/etc/$file"
done
exec setpriv --reuid %[1]d --regid %[1]d --clear-groups "$@"
`

// newRootless makes a home for a user who is not root, and has rootlesskit.
func newRootless(t *testing.T) *loner {
	t.Helper()
	l := newLoner(t)
	// The environment's folder is for root alone.
	home, err := os.MkdirTemp("/tmp", "sb-home-") //nolint:usetesting // for root alone, too
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.stop(t)
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
	install(t, bin, filepath.Join(l.env.BinDir, "docker-stagebuild"), 0o755)
	for _, name := range []string{"buildkitd", "runc"} {
		install(t, bin, filepath.Join(l.vars["HOME"], "tools", name), 0o755)
	}
	install(t, bin, program(t, l, "rootlesskit", "rootlesskit"), 0o755)
	// They map the user's own range of users, which takes root.
	for _, name := range []string{"newuidmap", "newgidmap"} {
		install(t, bin, program(t, l, "uidmap", name), 0o755|fs.ModeSetuid)
	}
	for file, line := range map[string]string{
		"passwd": fmt.Sprintf("loner:x:%d:%[1]d::%s:/bin/sh", uid, home), "group": fmt.Sprintf("loner:x:%d:", uid),
		"subuid": "loner:200000:65536", "subgid": "loner:200000:65536",
	} {
		known, err := os.ReadFile("/etc/" + file)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		write(t, filepath.Join(home, file), string(known)+line+"\n")
	}
	script := filepath.Join(home, "as-user")
	write(t, script, fmt.Sprintf(asUser, uid))
	l.as = []string{"unshare", "--mount", "sh", script, home}
	l.state = filepath.Join(home, ".local", "state", "stagebuild")
	l.vars["HOME"], l.vars["USER"], l.vars["XDG_STATE_HOME"] = home, "loner", ""
	l.vars["BUILDX_CONFIG"], l.vars["DOCKER_CONFIG"] = filepath.Join(home, "buildx"), filepath.Join(home, "docker")
	l.vars["PATH"] = bin + ":/usr/bin:/bin"
	return l
}

// program is a program of this machine, or else of a Debian package.
func program(t *testing.T, l *loner, pkg, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	dir, err := l.env.DebianPackage(t.Context(), pkg)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "usr", "bin", name)
}

// install copies a program into a folder.
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

// TestEmbeddedRootless runs the private daemon, and a step, as a user who is not
// root.
func TestEmbeddedRootless(t *testing.T) {
	l := newRootless(t)
	home := l.vars["HOME"]
	dir := filepath.Join(home, "context")
	busybox := filepath.Join(dir, "busybox")
	image := readImage(t, l.env, "library/busybox:latest", l.env.Platform)
	data, err := image.ReadFile("bin/busybox")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(busybox, data, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch AS run\nCOPY busybox /bin/sh\nRUN echo $((6*7)) > /done\nFROM scratch\nCOPY --from=run /done /\n")
	err = filepath.WalkDir(home, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || strings.HasPrefix(path, filepath.Join(home, "bin")) {
			return err
		}
		return os.Chown(path, uid, uid)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Using a private BuildKit daemon (state: " + l.state, "CACHED"} {
		said, err := l.run(t, "docker-stagebuild", "build", "--progress=plain", "--output=type=local,dest="+filepath.Join(home, "out"), dir)
		if err != nil {
			log, _ := os.ReadFile(filepath.Join(l.state, "buildkitd.log"))
			t.Fatalf("%v\n%s\n%s", err, said.Stderr, log)
		}
		if !strings.Contains(said.Stderr, want) {
			t.Errorf("the build does not say %q:\n%s", want, said.Stderr)
		}
	}
	if done, err := os.ReadFile(filepath.Join(home, "out", "done")); err != nil || string(done) != "42\n" {
		t.Errorf("done is %q, %v", done, err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.buildkitd(t)))
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("\nUid:\t%d\t", uid); !strings.Contains(string(status), want) {
		t.Errorf("the daemon does not run as user %d:\n%s", uid, status)
	}
}
