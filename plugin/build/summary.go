package build

import (
	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/result"

	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/docker/buildx/util/progress"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	digest "github.com/opencontainers/go-digest"
)

// stepName is how BuildKit names the steps of a stage: "[linux/amd64 app 2/3] RUN …"
// (prefixCommand in dockerfile2llb/convert.go).
var stepName = regexp.MustCompile(`^\[.*\d+/\d+\] `)

// stepCounter is the progress of one of several results. It counts the steps of
// stages, and names what is no step by its result.
type stepCounter struct {
	progress.Writer
	name string // "" for an only result

	mu     sync.Mutex
	cached map[digest.Digest]bool // of the steps that were done
}

// Write implements progress.Writer.
func (c *stepCounter) Write(status *client.SolveStatus) {
	c.mu.Lock()
	for _, v := range status.Vertexes {
		if stepName.MatchString(v.Name) && v.Completed != nil && v.Error == "" {
			if c.cached == nil {
				c.cached = map[digest.Digest]bool{}
			}
			c.cached[v.Digest] = v.Cached
		}
		if c.name != "" && !strings.HasPrefix(v.Name, "[") {
			v.Name = "[" + c.name + "] " + v.Name
		}
	}
	c.mu.Unlock()
	c.Writer.Write(status)
}

// String returns "7 (3 cached)".
func (c *stepCounter) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	cached := 0
	for _, was := range c.cached {
		if was {
			cached++
		}
	}
	if cached == 0 {
		return fmt.Sprint(len(c.cached))
	}
	return fmt.Sprintf("%d (%d cached)", len(c.cached), cached)
}

// summarise prints what was left out, and a table of several results, on standard
// error.
func (r *buildRun) summarise(ctx context.Context, results []*resultBuild) {
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
			res.outcome.steps, cmp.Or(r.size(ctx, res), "-"), res.outcome.duration.Round(100*time.Millisecond))
	}
	_ = w.Flush() // an error stream that cannot be written to can be told of nowhere
}

// where is what became of a result: the digest of an image, the paths of files.
func (res *resultBuild) where() string {
	switch err := res.outcome.err; {
	case err == nil:
	case cli.Interrupted(err):
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

// shortDigest is the digest's first 12 digits, as Docker shows one.
func shortDigest(id string) string {
	d, err := digest.Parse(id)
	if err != nil {
		return id
	}
	return d.Encoded()[:min(12, len(d.Encoded()))]
}
