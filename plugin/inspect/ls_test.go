package inspect

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/docker/cli/cli/command/formatter"
)

// TestTableFits prints a table for terminals of several widths. Each has all stages, and a
// wider one has at least the text of a narrower one.
func TestTableFits(t *testing.T) {
	platforms := []string{"linux/amd64", "linux/arm64", "linux/riscv64", "windows/amd64"}
	variant := stageVariant{Line: 5, Base: "registry.example.com/base/runtime:12", Guard: `--if=VARIANT == "debug"`, Platforms: platforms}
	rows := []stageRow{
		{Name: "base", Description: "the common base of all other services", stageVariant: variant, Variants: []stageVariant{variant, variant}},
		{Name: "app", Default: true, stageVariant: variant},
	}
	list := func(width int, trunc bool) string {
		var out bytes.Buffer
		ctx := formatter.Context{Output: &out, Format: formatter.TableFormatKey, Trunc: trunc}
		if err := writeStages(ctx, rows, width); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	shown := 0
	for _, width := range []int{80, 100, 120, 200} {
		text := list(width, true)
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, " \n")); n > width {
				t.Errorf("%d columns on a terminal of %d: %s", n, width, line)
			}
		}
		if !strings.Contains(text, "base ") || !strings.Contains(text, `  base (line 5)`) || !strings.Contains(text, "app*") {
			t.Errorf("a stage is missing:\n%s", text)
		}
		if n := len(strings.ReplaceAll(text, " ", "")); n < shown {
			t.Errorf("less is shown on %d columns than on fewer", width)
		} else {
			shown = n
		}
	}
	if list(0, true) != list(200, true) {
		t.Error("the table without a terminal differs from that of a wide terminal")
	}
	if !strings.Contains(list(80, false), strings.Join(platforms, ", ")) {
		t.Error("--no-trunc omits platforms")
	}
}

// TestTableOfATemplate prints a line for each variant, as in the default table.
func TestTableOfATemplate(t *testing.T) {
	first, second := stageVariant{Line: 5, Base: "debian", Guard: "--if=DEBUG"}, stageVariant{Line: 7, Base: "alpine"}
	rows := []stageRow{{Name: "base", stageVariant: first, Variants: []stageVariant{first, second}}, {Name: "app", Default: true, stageVariant: stageVariant{Base: "base"}}}
	var out bytes.Buffer
	if err := writeStages(formatter.Context{Output: &out, Format: `table {{.Name}}\t{{.Base}}\t{{.Guard}}`, Trunc: true}, rows, 0); err != nil {
		t.Fatal(err)
	}
	want := "STAGE             FROM      GUARD\nbase\n  base (line 5)   debian    --if=DEBUG\n  base (line 7)   alpine\napp*              base\n"
	if got := regexp.MustCompile(` +\n`).ReplaceAllString(out.String(), "\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
