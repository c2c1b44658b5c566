// Package integration holds scenarios that run against a real BuildKit and a
// real registry. The harness package starts them.
package integration

import (
	"os"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// suite is the environment that the tests of this package share.
var suite harness.Suite

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }
