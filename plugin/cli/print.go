package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"

	"github.com/docker/cli/cli/command"
)

// PrintNotes prints notes, one a line. w is standard error, because notes are not output.
func PrintNotes(w io.Writer, notes []string) {
	for _, note := range notes {
		fmt.Fprintf(w, "Note: %s\n", note)
	}
}

// PrintJSON prints a value as indented JSON.
func PrintJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // keep && and < in conditions readable
	return encoder.Encode(value)
}

// NarrowWidth is the width of text that is not printed to a terminal, in columns.
const NarrowWidth = 80

// TextWidth returns the width for text on standard output, in columns.
func TextWidth(dockerCLI command.Cli) int {
	return cmp.Or(TerminalWidth(dockerCLI), NarrowWidth)
}

// TerminalWidth returns the width of the terminal that standard output is, in columns, or 0.
func TerminalWidth(dockerCLI command.Cli) int {
	if out := dockerCLI.Out(); out.IsTerminal() {
		_, width := out.GetTtySize()
		return int(width)
	}
	return 0
}

// PrintJSONLine prints a value as one line of JSON.
func PrintJSONLine(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(value)
}
