//go:build !linux

package harness

import (
	"os/exec"
	"syscall"
)

// stopSignal asks a daemon to end.
const stopSignal = syscall.SIGTERM

// dieWithParent does nothing: daemons are started on Linux only.
func dieWithParent(*exec.Cmd) {}

// unmountBelow does nothing: nothing was mounted.
func unmountBelow(string) error { return nil }
