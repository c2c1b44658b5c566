// Package inspect tests the commands and pages that show a Dockerfile without building
// it, and the matrix that other tools build.
package inspect

import (
	"os"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// suite is the environment that the tests of this package share.
var suite harness.Suite

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }
