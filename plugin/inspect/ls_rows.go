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

// stageRow is a stage in the list.
type stageRow struct {
	// Name is "" for an unnamed stage.
	Name string
	// Default is set for the default target.
	Default     bool
	Description string
	stageVariant
	// Variants are set for a stage with several variants. The line, base and guard of
	// the stage are then those of the first variant.
	Variants []stageVariant
}

// stageVariant is one FROM instruction.
type stageVariant struct {
	Line  int
	Base  string
	Guard string
	// Platforms are the requested platforms that the stage can be built for, or that
	// select the variant.
	Platforms []string
}

// listStages returns the stages that match patterns, in file order. Without patterns, it
// returns all stages.
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

// isDefault reports whether a stage is the default target, or a variant of it.
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

// addVariants adds the variants of the row's stage. The row gets the platforms of all
// variants, and the first description.
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

// stagesTable is the default table.
const stagesTable = "table {{.Name}}\t{{.Base}}\t{{.Guard}}\t{{.Platforms}}\t{{.Description}}"

// fit limits the values in a table.
type fit struct {
	text      int // the longest text, in characters
	platforms int // the most platforms of a stage
}

// fits returns the limits to try, in order, until the table fits the terminal.
func fits() []fit {
	return []fit{{40, 3}, {40, 2}, {30, 2}, {30, 1}, {24, 1}, {20, 1}, {16, 1}, {12, 1}}
}

// writeStages prints rows as a table, as JSON objects, or with a template. It truncates the values
// of a table to fit width columns, unless width is 0.
func writeStages(ctx formatter.Context, rows []stageRow, width int) error {
	out := ctx.Output
	var text bytes.Buffer // the formatter ignores write errors
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

// formatStages prints rows. In a table, f limits the values.
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

// stageContext gives the values of a row to a template. Its methods are the fields of
// --format.
type stageContext struct {
	formatter.HeaderContext
	row     stageRow
	variant *stageVariant // set for the table line of a variant
	table   bool
	fit     fit // zero for no limits
}

// MarshalJSON returns the row as a JSON object.
func (c *stageContext) MarshalJSON() ([]byte, error) {
	return formatter.MarshalJSON(c)
}

// Name returns the name of the stage. In a table, it also marks the default target, and
// shows the line of a variant.
func (c *stageContext) Name() string {
	switch {
	case c.variant != nil:
		return fmt.Sprintf(`  %s (line %d)`, c.row.Name, c.variant.Line)
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

// Line returns the line of the FROM instruction.
func (c *stageContext) Line() int { return c.shown().Line }

// Default reports whether the stage is the default target.
func (c *stageContext) Default() bool { return c.row.Default }

// Base returns the base of the stage.
func (c *stageContext) Base() string {
	if c.isHeader() {
		return ""
	}
	return c.short(c.shown().Base)
}

// Guard returns the guard of the stage.
func (c *stageContext) Guard() string {
	if c.isHeader() {
		return ""
	}
	return c.short(c.shown().Guard)
}

// Platforms returns the platforms that the stage can be built for.
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

// Description returns the description in the comment above the stage.
func (c *stageContext) Description() string {
	if c.variant != nil {
		return ""
	}
	return c.short(c.row.Description)
}

// Variants returns the variants of the stage if it has several.
func (c *stageContext) Variants() []stageVariant { return c.row.Variants }

func (c *stageContext) short(text string) string {
	if c.table && c.fit.text > 0 {
		return formatter.Ellipsis(text, c.fit.text)
	}
	return text
}

// isHeader reports whether the line is followed by the lines of the stage's variants.
func (c *stageContext) isHeader() bool {
	return c.table && c.variant == nil && len(c.row.Variants) > 0
}

func (c *stageContext) shown() stageVariant {
	if c.variant != nil {
		return *c.variant
	}
	return c.row.stageVariant
}
