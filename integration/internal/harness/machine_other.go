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

// listenIn returns an error: other systems have no network namespaces.
func listenIn(context.Context, int, string) (net.Listener, error) { return nil, errors.ErrUnsupported }

// missingCapabilities returns no capabilities.
func missingCapabilities() ([]string, error) { return nil, nil }
