package inspect

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/docker/cli/cli/command/formatter"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/selection"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// stageRow is a stage of a listing.
type stageRow struct {
	// Name is "" for a stage that has none.
	Name string
	// Default is set for the stage that is built when none is asked for.
	Default     bool
	Description string
	stageVariant
	// Variants are those of a stage that has several: its own line, base and
	// guard are then those of the first.
	Variants []stageVariant
}

// stageVariant is a FROM.
type stageVariant struct {
	Line  int
	Base  string
	Guard string
	// Platforms are those asked for that it can be built for. A variant is then the
	// one that is chosen.
	Platforms []string
}

// listStages returns the stages that patterns mean, or all, in file order.
func listStages(file *syntax.File, available *plan.Availability, targets []guard.Platform, patterns selection.Patterns) ([]stageRow, error) {
	names, err := patterns.Names(file)
	if err != nil {
		return nil, err
	}
	var rows []stageRow
	for _, s := range file.Stages {
		row := stageRow{
			Name: s.Name, Default: isDefault(file, s), Description: file.Summary(s.From, s.Name),
			stageVariant: variantOf(s, available, targets),
		}
		switch {
		case s.Name == "" && len(patterns) > 0, s.Name != "" && !slices.Contains(names, s.Name):
			continue
		case s.Name == "" || len(file.Group(s.Name).Stages) == 1 || !file.Group(s.Name).IsGuarded():
		case s != file.Group(s.Name).Stages[0]:
			continue
		default:
			row.addVariants(file, available, targets)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// isDefault reports whether a stage, or the group of its name, is the last one.
func isDefault(file *syntax.File, s *syntax.Stage) bool {
	last := file.Stages[len(file.Stages)-1]
	return s == last || s.Name != "" && s.Name == last.Name && file.Group(s.Name).IsGuarded()
}

func variantOf(s *syntax.Stage, available *plan.Availability, targets []guard.Platform) stageVariant {
	v := stageVariant{Line: s.From.First, Base: s.Base.Text, Guard: graph.Guard(s.From), Platforms: []string{}}
	for i, p := range targets {
		if available.IsAvailable(s, i) {
			v.Platforms = append(v.Platforms, guard.FormatPlatform(p))
		}
	}
	return v
}

// addVariants adds the variants of the row's stage, whose platforms and description
// become those of all.
func (r *stageRow) addVariants(file *syntax.File, available *plan.Availability, targets []guard.Platform) {
	r.Platforms = []string{}
	for i, p := range targets {
		if len(available.Diagnostics(r.Name, i)) == 0 {
			r.Platforms = append(r.Platforms, guard.FormatPlatform(p))
		}
	}
	for _, s := range file.Group(r.Name).Stages {
		r.Variants = append(r.Variants, variantOf(s, available, targets))
		if r.Description == "" {
			r.Description = file.Summary(s.From, s.Name)
		}
	}
}

// stagesTable is the table of a listing.
const stagesTable = "table {{.Name}}\t{{.Base}}\t{{.Guard}}\t{{.Platforms}}\t{{.Description}}"

// fit is how much of their values the columns of a table show.
type fit struct {
	text      int // characters of a text
	platforms int // of a stage
}

// fits are tried from the first to the last, until a table fits its terminal.
func fits() []fit {
	return []fit{{40, 3}, {40, 2}, {30, 2}, {30, 1}, {24, 1}, {20, 1}, {16, 1}, {12, 1}}
}

// writeStages prints rows as a table, as an object of JSON each, or with a template.
// The lines of a shortened table have at most width columns if that can be, unless
// width is 0.
func writeStages(ctx formatter.Context, rows []stageRow, width int) error {
	out := ctx.Output
	var text bytes.Buffer // the formatter looks at no error of its output
	ctx.Output = &text
	tried := fits()
	if !ctx.Format.IsTable() || !ctx.Trunc {
		tried = []fit{{}}
	}
	for _, f := range tried {
		text.Reset()
		if err := formatStages(ctx, rows, f); err != nil {
			return err
		}
		if width == 0 || longestLine(text.String()) <= width {
			break
		}
	}
	_, err := text.WriteTo(out)
	return err
}

func longestLine(text string) int {
	longest := 0
	for line := range strings.Lines(text) {
		longest = max(longest, utf8.RuneCountInString(strings.TrimRight(line, " \n")))
	}
	return longest
}

// formatStages prints rows, and in a table as much of them as f says.
func formatStages(ctx formatter.Context, rows []stageRow, f fit) error {
	if ctx.Format == formatter.TableFormatKey {
		ctx.Format = stagesTable
	}
	table := ctx.Format.IsTable()
	header := stageContext{}
	header.Header = formatter.SubHeaderContext{
		"Name": "STAGE", "Line": "LINE", "Default": "DEFAULT", "Base": "FROM", "Guard": "GUARD",
		"Platforms": "PLATFORMS", "Description": "DESCRIPTION", "Variants": "VARIANTS",
	}
	return ctx.Write(&header, func(format func(formatter.SubContext) error) error {
		for _, row := range rows {
			if err := format(&stageContext{row: row, table: table, fit: f}); err != nil {
				return err
			}
			for i := range row.Variants {
				if !table {
					break
				}
				if err := format(&stageContext{row: row, variant: &row.Variants[i], table: true, fit: f}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// stageContext gives a row's values to a template. Its methods are the names that
// --format knows.
type stageContext struct {
	formatter.HeaderContext
	row     stageRow
	variant *stageVariant // of the row, for a line of the table
	table   bool
	fit     fit // zero to show all
}

// MarshalJSON returns the row.
func (c *stageContext) MarshalJSON() ([]byte, error) {
	return formatter.MarshalJSON(c)
}

// Name is the stage's. In a table it says more: which is the default, and where a
// variant stands.
func (c *stageContext) Name() string {
	switch {
	case c.variant != nil:
		return fmt.Sprintf(` \_ line %d`, c.variant.Line)
	case !c.table:
		return c.row.Name
	}
	name := c.row.Name
	if name == "" {
		name = fmt.Sprintf("(line %d)", c.row.Line)
	}
	if c.row.Default {
		name += "*"
	}
	return name
}

// Line is the line of the FROM.
func (c *stageContext) Line() int { return c.shown().Line }

// Default reports whether the stage is built when none is asked for.
func (c *stageContext) Default() bool { return c.row.Default }

// Base is what the stage is FROM.
func (c *stageContext) Base() string {
	if c.heads() {
		return ""
	}
	return c.short(c.shown().Base)
}

// Guard is what has to hold for the stage.
func (c *stageContext) Guard() string {
	if c.heads() {
		return ""
	}
	return c.short(c.shown().Guard)
}

// Platforms are those that the stage can be built for.
func (c *stageContext) Platforms() any {
	list := c.shown().Platforms
	switch {
	case !c.table:
		return list
	case len(list) == 0:
		return "-"
	case c.fit.platforms > 0 && len(list) > c.fit.platforms:
		return fmt.Sprintf("%s (+%d)", strings.Join(list[:c.fit.platforms], ", "), len(list)-c.fit.platforms)
	}
	return strings.Join(list, ", ")
}

// Description is what the comment above the stage says.
func (c *stageContext) Description() string {
	if c.variant != nil {
		return ""
	}
	return c.short(c.row.Description)
}

// Variants are the stage's, if it has several.
func (c *stageContext) Variants() []stageVariant { return c.row.Variants }

func (c *stageContext) short(text string) string {
	if c.table && c.fit.text > 0 {
		return formatter.Ellipsis(text, c.fit.text)
	}
	return text
}

// heads reports whether the line is that of a stage whose variants stand below it.
func (c *stageContext) heads() bool {
	return c.table && c.variant == nil && len(c.row.Variants) > 0
}

func (c *stageContext) shown() stageVariant {
	if c.variant != nil {
		return *c.variant
	}
	return c.row.stageVariant
}
