package matrix

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"
)

// platformsWidth is how many columns the platforms of a line take, so that a table
// of stages with names of up to 30 columns fits into 80.
const platformsWidth = 48

// Nameless is what people see in place of the name that the default stage of a file
// does not have.
const Nameless = "(default)"

// WriteTable prints the stages, each with the platforms that it can be built for,
// in the manner of Docker's own listings.
func (m *Matrix) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(t, "STAGE\tPLATFORMS")
	for _, s := range m.Stages {
		name := cmp.Or(s.Stage, Nameless)
		for _, line := range fold(s.Platforms) {
			fmt.Fprintf(t, "%s\t%s\n", name, line)
			name = ""
		}
	}
	return t.Flush()
}

// fold joins names to lines.
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
