// Command appdirs prints the directories where a service keeps its files on this system.
package main

import (
	"fmt"
	"os"
	"text/tabwriter"
)

// dirs are the directories of one service.
type dirs struct {
	Config, Data, Logs string
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: appdirs SERVICE")
		os.Exit(2)
	}
	d := dirsOf(os.Args[1])
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "config\t%s\ndata\t%s\nlogs\t%s\n", d.Config, d.Data, d.Logs)
	if err := w.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "appdirs:", err)
		os.Exit(1)
	}
}
