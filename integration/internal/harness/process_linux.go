package harness

import (
	"os/exec"
	"strings"
	"syscall"
)

// stopSignal asks a daemon to end.
const stopSignal = syscall.SIGTERM

// dieWithParent makes the kernel kill cmd's process when this process ends. The child
// also leads its own process group, so that Ctrl-C on the terminal reaches only the
// tests, which then stop their daemons in order.
func dieWithParent(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	cmd.SysProcAttr.Setpgid = true
}

// inOwnNamespaces makes cmd the first process of a new process namespace, with a
// new mount namespace. If it is killed, the kernel ends its containers and mounts.
// The shell commands in mounts add mounts. It needs root.
func inOwnNamespaces(cmd *exec.Cmd, mounts ...string) {
	steps := append([]string{"mount --make-rprivate /", "mount -t proc none /proc"}, mounts...)
	script := strings.Join(append(steps, `exec "$0" "$@"`), " && ")
	cmd.Args = append([]string{"sh", "-c", script, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
}
