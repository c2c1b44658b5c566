// Command words counts three words in the comments of Go files. A sentence with
// one of them is often hard to read, because the word replaces the name of a
// thing or a plain verb.
//
//	go run ./integration/words          # the comments of all files, by package
//	go run ./integration/words -added   # those that a change adds, as a warning
//
// A change is the difference between the working tree and the commit where the
// branch left origin/main, or the last commit if the branch is main.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

func main() {
	added := flag.Bool("added", false, "count the comments that a change adds, and list those with words above their limit")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	report := reportAll
	if *added {
		report = reportAdded
	}
	if err := report(ctx, os.Stdout, "."); err != nil {
		fmt.Fprintln(os.Stderr, "words:", err)
		os.Exit(2)
	}
}

// reportAll writes the counts of each package below root, and their sum.
func reportAll(_ context.Context, out io.Writer, root string) error {
	lines, err := readTree(root)
	if err != nil {
		return err
	}
	byPackage, all := countPackages(lines)
	fmt.Fprintf(out, "per 1,000 comment lines (limits: %s)\n%-36s %6s", limits(), "PACKAGE", "LINES")
	for _, w := range words() {
		fmt.Fprintf(out, " %8s", w.name)
	}
	fmt.Fprintln(out)
	for _, c := range append(byPackage, all) {
		fmt.Fprintf(out, "%-36s %6d", c.name, c.lines)
		for i, w := range words() {
			mark := " "
			if c.rate(i) > w.limit {
				mark = "!"
			}
			fmt.Fprintf(out, " %7.1f%s", c.rate(i), mark)
		}
		fmt.Fprintln(out)
	}
	return nil
}

// reportAdded writes the counts of the comments that a change adds, and each of
// their lines that has a word above its limit. It writes nothing where git does
// not know the history.
func reportAdded(ctx context.Context, out io.Writer, root string) error {
	lines, base, err := readAdded(ctx, root)
	if err != nil || len(lines) == 0 {
		return err
	}
	c := count("", lines)
	above := map[int]bool{}
	var text strings.Builder
	for i, w := range words() {
		above[i] = c.rate(i) > w.limit
		fmt.Fprintf(&text, ", %s %.0f (limit %.0f)", w.name, c.rate(i), w.limit)
	}
	fmt.Fprintf(out, "words in the %d comment lines added since %.12s, per 1,000 lines%s\n", c.lines, base, text.String())
	for _, line := range lines {
		for i, w := range words() {
			if above[i] && w.pattern.MatchString(line.text) {
				fmt.Fprintf(out, "warning: %s:%d: %s: %s\n", line.file, line.number, w.name, line.text)
			}
		}
	}
	return nil
}
