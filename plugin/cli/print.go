package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"

	"github.com/docker/cli/cli/command"
)

// PrintNotes prints what a command has to say beside its output.
func PrintNotes(w io.Writer, notes []string) {
	for _, note := range notes {
		fmt.Fprintf(w, "Note: %s\n", note)
	}
}

// PrintJSON prints a value for programs.
func PrintJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // a condition reads as it is written
	return encoder.Encode(value)
}

// NarrowWidth is what a text is printed for that goes to no terminal.
const NarrowWidth = 80

// TextWidth is how many columns there are for a text.
func TextWidth(dockerCLI command.Cli) int {
	return cmp.Or(TerminalWidth(dockerCLI), NarrowWidth)
}

// TerminalWidth is how many columns the terminal has that is printed to, or 0.
func TerminalWidth(dockerCLI command.Cli) int {
	if out := dockerCLI.Out(); out.IsTerminal() {
		_, width := out.GetTtySize()
		return int(width)
	}
	return 0
}

// PrintJSONLine prints a value for programs in one line.
func PrintJSONLine(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(value)
}
