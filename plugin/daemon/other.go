//go:build !linux

package daemon

import (
	"context"
	"fmt"
	"runtime"
)

// Use returns an error, because buildkitd needs Linux.
func Use(context.Context, Settings, func()) (*Lease, error) { return nil, unsupported() }

// Supervise returns an error, because buildkitd needs Linux.
func Supervise(context.Context, Settings, []string) error { return unsupported() }

func unsupported() error {
	return fmt.Errorf("buildkitd needs Linux, and this system is %s", runtime.GOOS)
}
