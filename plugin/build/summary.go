package build

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	digest "github.com/opencontainers/go-digest"

	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/result"
)

// summarize prints the notes and, for several results, a table of them to standard error.
func (r *buildRun) summarize(ctx context.Context, results []*resultBuild) {
	if len(r.notes) == 0 && len(results) == 1 {
		return
	}
	out := r.dockerCLI.Err()
	fmt.Fprintln(out)
	for _, note := range r.notes {
		fmt.Fprintf(out, "Note: %s\n", note)
	}
	if len(results) == 1 {
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "STAGE\tPLATFORM\tRESULT\tSTEPS\tSIZE\tTIME")
	for _, res := range results {
		stage, _, _ := strings.Cut(res.Name, " ")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", stage, strings.Join(result.FormatPlatforms(res.Platforms), ","), res.where(),
			&res.steps, cmp.Or(r.size(ctx, res), "-"), res.outcome.duration.Round(100*time.Millisecond))
	}
	_ = w.Flush() // nowhere is left to report a failed write to the error stream
}

// where returns the digest of the result's image and the paths of its files, or how the
// build ended instead.
func (res *resultBuild) where() string {
	switch err := res.outcome.err; {
	case err == nil:
	case cli.IsInterrupted(err):
		return "stopped"
	default:
		return "failed"
	}
	var list []string
	if id := res.outcome.response.ExporterResponse[exptypes.ExporterImageDigestKey]; id != "" {
		list = append(list, shortDigest(id))
	}
	for _, dest := range res.dests {
		if dest != "-" {
			list = append(list, dest)
		}
	}
	return cmp.Or(strings.Join(list, ", "), "in the build cache")
}

// shortDigest returns the first 12 digits of a digest, as Docker shows it.
func shortDigest(id string) string {
	d, err := digest.Parse(id)
	if err != nil {
		return id
	}
	return d.Encoded()[:min(12, len(d.Encoded()))]
}
