package daemon

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// logTail is the number of lines of the log in an error.
const logTail = 12

// StartError reports a daemon that did not start or does not answer.
type StartError struct {
	// Reason is a predicate whose subject is the daemon: "did not start".
	Reason string
	// Log is the path of the file with the daemon's output, and Tail has its last
	// lines.
	Log  string
	Tail []string
}

// Error returns the reason, followed by the end of the log.
func (e *StartError) Error() string {
	if len(e.Tail) == 0 {
		return fmt.Sprintf("it %s, and %s is empty", e.Reason, e.Log)
	}
	return fmt.Sprintf("it %s; the last lines of %s:\n    %s", e.Reason, e.Log, strings.Join(e.Tail, "\n    "))
}

// startError returns a [StartError] with the end of the log. A log that cannot be
// read is treated as empty.
func (s Settings) startError(reason string) error {
	data, _ := os.ReadFile(s.Log())
	e := &StartError{Reason: reason, Log: s.Log()}
	for line := range bytes.Lines(data) {
		text := string(bytes.TrimRight(line, "\n"))
		last := len(e.Tail) - 1
		switch {
		case strings.HasPrefix(text, "\t") && last >= 0:
			// Leave stack traces out, because they push the error out of the tail:
			// an indented line names a file, and the line before it a function.
			if !strings.Contains(e.Tail[last], " ") {
				e.Tail = e.Tail[:last]
			}
		case text != "":
			e.Tail = append(e.Tail, text)
		}
	}
	e.Tail = e.Tail[max(0, len(e.Tail)-logTail):]
	return e
}
