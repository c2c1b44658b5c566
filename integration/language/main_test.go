// Package language tests the Dockerfile language: builds with every client, and the
// subrequests of the frontend.
package language

import (
	"os"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// suite is the environment that the tests of this package share.
var suite harness.Suite

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }
