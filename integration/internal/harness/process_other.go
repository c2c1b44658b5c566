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

// inOwnNamespaces does nothing: other systems have no namespaces.
func inOwnNamespaces(*exec.Cmd, ...string) {}
