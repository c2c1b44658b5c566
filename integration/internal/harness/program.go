package harness

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/stagebuild/stagebuild/integration/internal/toolchain"
)

// Browser returns the path of a Chromium that needs no screen.
func (e *Env) Browser(ctx context.Context) (string, error) {
	return e.program(ctx, []string{"chromium-headless-shell", "fonts-dejavu-core"},
		"chromium-headless-shell", "chromium", "google-chrome", "chromium-browser")
}

// Graphviz returns the path of Graphviz's dot.
func (e *Env) Graphviz(ctx context.Context) (string, error) {
	return e.program(ctx, []string{"graphviz"}, "dot")
}

// program returns the path of the first program of names that is on PATH. It installs
// Debian packages if there is none.
func (e *Env) program(ctx context.Context, packages []string, names ...string) (string, error) {
	var path string
	err := toolchain.Install(ctx, e.log, func() (err error) {
		for _, name := range names {
			if path, err = exec.LookPath(name); err == nil {
				return nil
			}
		}
		return fmt.Errorf("none of these is installed: %s", strings.Join(names, ", "))
	}, packages...)
	return path, err
}
