package matrix

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strings"
	"text/tabwriter"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/matrix"
	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/result"
)

// maxJobs is the most jobs of one matrix on GitHub
// (https://docs.github.com/en/actions/reference/limits).
const maxJobs = 256

// job is one bake target, or one job for GitHub Actions.
type job struct {
	*result.Result
	// id is unique. It has letters, digits, "_" and "-".
	id        string
	platforms []guard.Platform
}

// jobs returns a job for each result or, if split is set, for each platform of each result.
// Their IDs differ from those in taken.
func jobs(results []*result.Result, split bool, taken ...string) []*job {
	used, parts := map[string]bool{}, map[string]int{}
	for _, id := range taken {
		used[id] = true
	}
	for _, r := range results {
		parts[r.Stage]++
	}
	var list []*job
	add := func(r *result.Result, platforms []guard.Platform, single bool) {
		id := identifier(cmp.Or(r.Stage, "default"))
		if single {
			id += "-" + identifier(guard.PlatformName(platforms[0]))
		}
		unique := id
		for n := 2; used[unique]; n++ {
			unique = fmt.Sprintf("%s_%d", id, n)
		}
		used[unique] = true
		list = append(list, &job{Result: r, id: unique, platforms: platforms})
	}
	for _, r := range results {
		if !split {
			add(r, r.Platforms, parts[r.Stage] > 1)
			continue
		}
		for i := range r.Platforms {
			add(r, r.Platforms[i:i+1], true)
		}
	}
	return list
}

var notInIdentifier = regexp.MustCompile(`[^A-Za-z0-9_-]`)

// identifier replaces the characters of a name that a bake target cannot have.
func identifier(name string) string {
	return notInIdentifier.ReplaceAllString(name, "_")
}

// platformList returns the platforms in the form that --platform takes.
func (j *job) platformList() string {
	names := make([]string, len(j.platforms))
	for i, p := range j.platforms {
		names[i] = guard.FormatPlatform(p)
	}
	return strings.Join(names, ",")
}

// githubMatrix is the matrix of a job of GitHub Actions.
type githubMatrix[T any] struct {
	Include []T `json:"include"`
}

// githubJob is one job for GitHub Actions, with the names and values that Docker's actions
// take. Later versions only add fields.
type githubJob struct {
	// Name is the name of the job for people.
	Name string `json:"name"`
	// Stage is empty for an unnamed default target.
	Stage string `json:"stage"`
	// Platform is one platform with --native, and otherwise a comma-separated list.
	Platform string `json:"platform"`
	// Runner is the label for runs-on. Emulate lists the architectures that the runner
	// emulates with QEMU.
	Runner  string `json:"runner"`
	Emulate string `json:"emulate"`
	// CacheScope is for type=gha, and for the names of artifacts.
	CacheScope string `json:"cache-scope"`
	// Image is the name of the image without a tag. Tags lists the names with tags. They
	// are empty without --tag.
	Image string `json:"image"`
	Tags  string `json:"tags"`
}

// printJobs prints a job matrix in one line, as the output of a step requires.
func (o *matrixOptions) printJobs(out, log io.Writer, results []*result.Result) error {
	m := githubMatrix[githubJob]{}
	for _, j := range jobs(results, o.native) {
		label, emulated := o.runners.place(j.platforms)
		image, err := imageName(j.Flags.Tags)
		if err != nil {
			return err
		}
		m.Include = append(m.Include, githubJob{
			Name:     fmt.Sprintf("%s (%s)", cmp.Or(j.Stage, "default"), strings.ReplaceAll(j.platformList(), ",", ", ")),
			Stage:    j.Stage,
			Platform: j.platformList(),
			Runner:   label, Emulate: strings.Join(emulated, ","),
			CacheScope: j.id,
			Image:      image, Tags: strings.Join(j.Flags.Tags, ","),
		})
	}
	if n := len(m.Include); n > maxJobs {
		fmt.Fprintf(log, "Note: GitHub limits a matrix to %[2]d jobs, and this one has %[1]d; select fewer stages with --stage\n", n, maxJobs)
	}
	return cli.PrintJSONLine(out, m)
}

// printNative prints the jobs as a table.
func (o *matrixOptions) printNative(out io.Writer, results []*result.Result) error {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "STAGE\tPLATFORM\tRUNNER\tCACHE SCOPE")
	for _, j := range jobs(results, true) {
		label, emulated := o.runners.place(j.platforms)
		if len(emulated) > 0 {
			label += " (QEMU)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", cmp.Or(j.Stage, matrix.Unnamed), j.platformList(), label, j.id)
	}
	return w.Flush()
}
