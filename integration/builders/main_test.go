// Package builders tests the environment of the tests and the builders that the plugin
// meets: failing, with TLS, emulating, and the daemon that the plugin starts itself.
package builders

import (
	"os"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// suite is the environment that the tests of this package share.
var suite harness.Suite

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }
