package harness

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
)

// stopSignal asks a daemon to end.
const stopSignal = syscall.SIGTERM

// dieWithParent makes the kernel kill cmd's process when this one dies. The
// process also leads a group of its own, so that a Ctrl-C on the terminal
// reaches the tests only, which then stop their daemons in order.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// unmountBelow detaches every mount below dir, the deepest first.
func unmountBelow(dir string) error {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var points []string
	for line := range strings.Lines(string(data)) {
		// Field 5 of proc_pid_mountinfo(5): the mount point.
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], dir+"/") {
			points = append(points, f[4])
		}
	}
	slices.Sort(points)
	var errs []error
	for _, point := range slices.Backward(points) {
		errs = append(errs, syscall.Unmount(point, syscall.MNT_DETACH))
	}
	return errors.Join(errs...)
}
