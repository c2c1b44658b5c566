package plugin

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestHelpFits prints the help of every command, and checks that no line is
// longer than 80 columns, except for a single long word.
func TestHelpFits(t *testing.T) {
	root := NewRootCommand("docker-stagebuild", nil, func(*cobra.Command, []string) error { return nil })
	wrapHelp(root)
	for _, cmd := range append(root.Commands(), root) {
		if cmd.Hidden {
			continue // only the program itself runs it
		}
		t.Run(cmd.Name(), func(t *testing.T) {
			var help bytes.Buffer
			cmd.SetOut(&help)
			if err := cmd.Help(); err != nil {
				t.Fatal(err)
			}
			if cmd.Example == "" && cmd.IsAvailableCommand() {
				t.Error("the command has no examples")
			}
			for line := range strings.Lines(help.String()) {
				if line = strings.TrimRight(line, "\n"); len([]rune(line)) > 80 && strings.Contains(strings.TrimSpace(line), " ") {
					t.Errorf("%q is longer than 80 columns", line)
				}
			}
		})
	}
}
