// Package examples follows the README of each example and checks the results.
package examples

import (
	"os"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// suite is the environment that the tests of this package share.
var suite harness.Suite

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }
