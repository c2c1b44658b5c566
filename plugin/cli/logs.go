package cli

import (
	"bytes"
	stdlog "log"
	"sync"

	"github.com/docker/buildx/util/logutil"
	"github.com/sirupsen/logrus"
)

// ConfigureLogs formats log lines as buildx does, and hides lines of libraries that do not
// help a user. Lines of the standard library's logger, such as HTTP/2's about closed
// connections, go to the debug log.
func ConfigureLogs(log *logrus.Logger) {
	log.SetFormatter(&unrepeated{Formatter: &logutil.Formatter{}})
	log.AddHook(logutil.NewFilter([]logrus.Level{logrus.DebugLevel, logrus.WarnLevel},
		"serving grpc connection",
		"stopping session",
		"using default config store",
		// The OCI layout store tries fs-verity, which few file systems have.
		"failed check for fsverity support",
	))
	stdlog.SetFlags(0)
	stdlog.SetOutput(debugLines{log})
}

// debugLines writes each line to the debug log.
type debugLines struct {
	log *logrus.Logger
}

// Write implements io.Writer.
func (d debugLines) Write(p []byte) (int, error) {
	d.log.Debug(string(bytes.TrimSpace(p)))
	return len(p), nil
}

// unrepeated formats each warning once, because buildx logs the same warning for every
// result.
type unrepeated struct {
	logrus.Formatter
	warned sync.Map // messages
}

// Format implements logrus.Formatter.
func (f *unrepeated) Format(entry *logrus.Entry) ([]byte, error) {
	if entry.Level == logrus.WarnLevel {
		if _, again := f.warned.LoadOrStore(entry.Message, true); again {
			return nil, nil
		}
	}
	return f.Formatter.Format(entry)
}
