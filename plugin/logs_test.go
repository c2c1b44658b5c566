package plugin

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"
)

func TestWarningsAreNotRepeated(t *testing.T) {
	var out bytes.Buffer
	log := logrus.New()
	log.SetOutput(&out)
	configureLogs(log)
	for range 3 {
		log.Warn("no output")
		log.Error("failed")
	}
	log.Warn("another thing")
	for text, want := range map[string]int{"no output": 1, "failed": 3, "another thing": 1} {
		if got := strings.Count(out.String(), text); got != want {
			t.Errorf("%q is logged %d times, want %d:\n%s", text, got, want, out.String())
		}
	}
}
