package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/moby/buildkit/frontend/subrequests"
	"github.com/moby/buildkit/frontend/subrequests/lint"
	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/pb"

	"github.com/stagebuild/stagebuild/frontend/gateway"
)

// PrintCallResult prints the result of a subrequest. It uses BuildKit's printers, and prints
// the frontend's text for a subrequest that BuildKit has no printer for. In the result of a
// check, filename replaces the name of the Dockerfile, unless it is "".
func PrintCallResult(w io.Writer, name, format string, res map[string]string, filename string) error {
	dt, ok := res[gateway.ResultJSON]
	if format == "json" && ok {
		_, err := fmt.Fprintln(w, dt)
		return err
	}
	switch name {
	case "lint":
		return printLint(w, []byte(dt), filename)
	case "outline":
		return outline.PrintOutline([]byte(dt), w)
	case "targets":
		return targets.PrintTargets([]byte(dt), w)
	case "subrequests.describe":
		return subrequests.PrintDescribe([]byte(dt), w)
	}
	text, ok := res[gateway.ResultText]
	if !ok {
		return fmt.Errorf("--call=%s has no text result; use --call=%s,format=json", name, name)
	}
	_, err := fmt.Fprint(w, text)
	return err
}

// printLint prints the result of a check. filename replaces the name of the Dockerfile in it,
// unless it is "".
func printLint(w io.Writer, dt []byte, filename string) error {
	var results lint.LintResults
	if err := json.Unmarshal(dt, &results); err != nil {
		return fmt.Errorf("reading the result of the check: %w", err)
	}
	rename := func(info *pb.SourceInfo) *pb.SourceInfo {
		if info == nil || filename == "" {
			return info
		}
		renamed := info.CloneVT()
		renamed.Filename = filename
		return renamed
	}
	var summary string
	switch n := len(results.Warnings); {
	case n == 1:
		summary = "Check complete, 1 warning has been found!\n"
	case n > 1:
		summary = fmt.Sprintf("Check complete, %d warnings have been found!\n", n)
	case results.Error == nil:
		summary = "Check complete, no warnings found.\n"
	}
	if _, err := io.WriteString(w, summary); err != nil {
		return err
	}
	if err := results.PrintTo(w, rename); err != nil {
		return err
	}
	if results.Error == nil {
		return nil
	}
	// The check itself failed, because BuildKit cannot read the file.
	var failure strings.Builder
	results.PrintErrorTo(&failure, rename)
	return errors.New(failure.String())
}
