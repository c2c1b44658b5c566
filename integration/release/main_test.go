// Package release builds this repository with its own Dockerfile and docker-bake.hcl, and
// checks the release workflow.
package release

import (
	"os"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// suite is the environment that the tests of this package share.
var suite harness.Suite

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }
