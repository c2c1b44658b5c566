package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestDirsAreTheServicesOwn(t *testing.T) {
	d := dirsOf("example")
	seen := map[string]bool{}
	for _, dir := range []string{d.Config, d.Data, d.Logs} {
		if !filepath.IsAbs(dir) || !strings.Contains(dir, "example") || seen[dir] {
			t.Errorf("%q is not a directory of the service in %+v", dir, d)
		}
		seen[dir] = true
	}
}
