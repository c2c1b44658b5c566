package cli

import (
	"bytes"
	stdlog "log"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"
)

// configuredLog returns a configured log and its output.
func configuredLog(t *testing.T) (*logrus.Logger, *bytes.Buffer) {
	t.Helper()
	to, flags := stdlog.Writer(), stdlog.Flags()
	t.Cleanup(func() {
		stdlog.SetOutput(to)
		stdlog.SetFlags(flags)
	})
	out := &bytes.Buffer{}
	log := logrus.New()
	log.SetOutput(out)
	ConfigureLogs(log)
	return log, out
}

func TestWarningsAreNotRepeated(t *testing.T) {
	log, out := configuredLog(t)
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

// TestStandardLoggerIsForDebugging logs with the standard library's logger, as
// golang.org/x/net/http2 does.
func TestStandardLoggerIsForDebugging(t *testing.T) {
	log, out := configuredLog(t)
	stdlog.Printf("http2: server connection error from localhost: %s", "PROTOCOL_ERROR")
	if out.Len() > 0 {
		t.Errorf("without debugging, the log is %q", out)
	}
	log.SetLevel(logrus.DebugLevel)
	stdlog.Print("http2: again")
	if got, want := out.String(), "DEBUG: http2: again"; !strings.Contains(got, want) {
		t.Errorf("with debugging, the log is %q, want %q", got, want)
	}
}
