//go:build !linux

package harness

import (
	"os"
	"os/exec"
)

// stopSignal asks a daemon to end.
var stopSignal os.Signal = os.Interrupt

// dieWithParent does nothing: daemons are started on Linux only.
func dieWithParent(*exec.Cmd) {}

// unmountBelow does nothing: nothing was mounted.
func unmountBelow(string) error { return nil }
