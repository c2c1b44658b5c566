package syntax_test

import (
	"testing"

	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// TestSummary reads the comments above a stage.
func TestSummary(t *testing.T) {
	for _, tt := range []struct{ name, comment, want string }{
		{"sentence", "# Builds the model. For all platforms.\n", "Builds the model"},
		{"name of the stage", "# app is shipped.\n", "is shipped"},
		{"two lines", "# Builds\n# the model\n", "Builds the model"},
		{"line of signs above", "####\n# Builds the model\n", "Builds the model"},
		{"line of signs around", "# -----\n# Builds the model\n# =====\n", "Builds the model"},
		{"frame", "# --- Variant for vLLM ---\n", "Variant for vLLM"},
		{"frame of number signs", "### Tools ###\n", "Tools"},
		{"signs in the text", "# Uses -O2, not C#\n", "Uses -O2, not C#"},
		{"list", "# - one\n# * two\n", "- one * two"},
		{"only signs", "# ~~~~\n", ""},
		{"empty comment", "# Another thing\n#\n# The stage\n", "The stage"},
		{"empty line", "# Another thing\n\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file, err := syntax.Parse(source.NewFile("Dockerfile", []byte("FROM scratch\n"+tt.comment+"FROM scratch AS app\n")))
			if err != nil {
				t.Fatal(err)
			}
			if got := file.Summary(file.Stages[1].From, "app"); got != tt.want {
				t.Errorf("Summary() = %q, want %q", got, tt.want)
			}
		})
	}
}
