package matrix

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"
)

// platformsWidth limits the platforms in a row to this number of columns. A table whose
// stage names have up to 30 columns then fits into 80.
const platformsWidth = 48

// Unnamed replaces the name of an unnamed default stage in tables.
const Unnamed = "(default)"

// WriteTable writes a table of the stages and their platforms, in the style of docker
// image ls.
func (m *Matrix) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(t, "STAGE\tPLATFORMS")
	for _, s := range m.Stages {
		name := cmp.Or(s.Stage, Unnamed)
		for _, line := range fold(s.Platforms) {
			fmt.Fprintf(t, "%s\t%s\n", name, line)
			name = ""
		}
	}
	return t.Flush()
}

// fold joins names with commas, in lines of limited width.
func fold(names []string) []string {
	lines := []string{names[0]}
	for _, name := range names[1:] {
		last := &lines[len(lines)-1]
		if *last += ","; len(*last)+len(name) < platformsWidth {
			*last += " " + name
		} else {
			lines = append(lines, name)
		}
	}
	return lines
}
