//go:build !linux

package harness

import (
	"context"
	"errors"
	"net"
	"os/exec"
)

// asMachine does nothing: engines are started on Linux only.
func asMachine(*exec.Cmd, string) error { return nil }

// listenIn fails: there is no network but the machine's.
func listenIn(context.Context, int, string) (net.Listener, error) { return nil, errors.ErrUnsupported }

// missingCapabilities lists none.
func missingCapabilities() ([]string, error) { return nil, nil }
