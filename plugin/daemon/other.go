//go:build !linux

package daemon

import (
	"context"
	"fmt"
	"runtime"
)

// Use returns an error: buildkitd runs on Linux.
func Use(context.Context, Settings, func()) (*Lease, error) { return nil, unsupported() }

// Supervise returns an error: buildkitd runs on Linux.
func Supervise(context.Context, Settings, []string) error { return unsupported() }

func unsupported() error {
	return fmt.Errorf("it needs Linux, this is %s", runtime.GOOS)
}
