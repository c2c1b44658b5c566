package plugin

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestHelpFits prints every command's help: a terminal of 80 columns shows it
// unbroken, but for words that are longer.
func TestHelpFits(t *testing.T) {
	root := NewRootCommand("docker-stagebuild", nil, func(*cobra.Command, []string) error { return nil })
	wrapHelp(root)
	for _, cmd := range append(root.Commands(), root) {
		if cmd.Hidden {
			continue // run by the program itself
		}
		var help bytes.Buffer
		cmd.SetOut(&help)
		if err := cmd.Help(); err != nil {
			t.Fatal(err)
		}
		if cmd.Example == "" && cmd.IsAvailableCommand() {
			t.Errorf("%s: no examples", cmd.Name())
		}
		for line := range strings.Lines(help.String()) {
			if line = strings.TrimRight(line, "\n"); len([]rune(line)) > 80 && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("%s: %q is longer than 80 columns", cmd.Name(), line)
			}
		}
	}
}
