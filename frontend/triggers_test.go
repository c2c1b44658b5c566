package frontend_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stagebuild/stagebuild/frontend"
)

// TestFilesRunNoTriggers copies from an image that has triggers, for a platform of
// its own: only what is FROM an image runs them.
func TestFilesRunNoTriggers(t *testing.T) {
	g, got := build(t, frontend.Build, []byte("FROM scratch\nCOPY --from=trigger::linux/arm64 /a /a\n"), nil)
	if got.Error != "" || len(g.definitions) != 1 {
		t.Fatalf("%d definitions, error: %s", len(g.definitions), got.Error)
	}
	if strings.Contains(g.definitions[0], "made") {
		t.Error("the triggers of an image that is copied from are run")
	}
	if diff := cmp.Diff(map[string]int{"docker.io/library/trigger:latest linux/arm64": 1}, g.configs); diff != "" {
		t.Errorf("requests for image configs (-want +got):\n%s", diff)
	}
}
