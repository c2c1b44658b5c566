package daemon

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// logTail is how many lines of the log an error shows.
const logTail = 12

// StartError says that the daemon did not start, or does not answer.
type StartError struct {
	// Reason is the rest of a sentence about the daemon: "did not start".
	Reason string
	// Log is the file with the daemon's output, Tail its last lines.
	Log  string
	Tail []string
}

// Error returns the reason, and below it the end of the log.
func (e *StartError) Error() string {
	if len(e.Tail) == 0 {
		return fmt.Sprintf("it %s, and %s is empty", e.Reason, e.Log)
	}
	return fmt.Sprintf("it %s; the last lines of %s:\n    %s", e.Reason, e.Log, strings.Join(e.Tail, "\n    "))
}

// startError reads the log for an error. A log that cannot be read has nothing
// to say beside the reason.
func (s Settings) startError(reason string) error {
	data, _ := os.ReadFile(s.Log())
	e := &StartError{Reason: reason, Log: s.Log()}
	for line := range bytes.Lines(data) {
		text := string(bytes.TrimRight(line, "\n"))
		last := len(e.Tail) - 1
		switch {
		case strings.HasPrefix(text, "\t") && last >= 0:
			// A stack trace hides what went wrong: a line is a file's, and the
			// one before it a function's.
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
