package matrix

import (
	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/result"

	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/distribution/reference"
)

// digestFolder is where the commands look for the digests of the images, each in a
// file that is named as the cache scope of the job that pushed it.
const digestFolder = "digests"

// githubMerge is what a job of GitHub Actions puts together. Fields are only ever added
// to it.
type githubMerge struct {
	Name  string `json:"name"`
	Stage string `json:"stage"`
	// Platform is all platforms of the image, and Tags all its names, lists.
	Platform string `json:"platform"`
	Image    string `json:"image"`
	Tags     string `json:"tags"`
	// Command makes the image from the digests of its platforms.
	Command string `json:"command"`
}

// printMerge prints how the images of single platforms, which were pushed by digest,
// become one for each stage.
func (o *matrixOptions) printMerge(out io.Writer, results []*result.Result) error {
	parts := map[string][]*job{}
	for _, j := range jobs(results, true) {
		parts[j.Stage] = append(parts[j.Stage], j)
	}
	m := githubMatrix[githubMerge]{}
	for _, r := range results {
		if len(parts[r.Stage]) > len(r.Platforms) {
			return errors.New("--tag gives the image of each platform a name of its own, so that there is nothing to put together: leave the platform out of it")
		}
		image, err := imageName(r.Flags.Tags)
		if err != nil {
			return err
		}
		whole := &job{Result: r, platforms: r.Platforms}
		merge := githubMerge{
			Name:  cmp.Or(r.Stage, "default"),
			Stage: r.Stage, Platform: whole.platformList(),
			Image: image, Tags: strings.Join(r.Flags.Tags, ","),
			Command: mergeCommand(image, r.Flags.Tags, parts[r.Stage]),
		}
		if o.format == "github" {
			m.Include = append(m.Include, merge)
			continue
		}
		if _, err := fmt.Fprintln(out, merge.Command); err != nil {
			return err
		}
	}
	if o.format == "github" {
		return cli.PrintJSONLine(out, m)
	}
	return nil
}

// mergeCommand names each platform's digest, so that one that is missing is an error
// and not an image that lacks a platform. Names of images and IDs need no quotes.
func mergeCommand(image string, tags []string, parts []*job) string {
	var b strings.Builder
	b.WriteString("docker buildx imagetools create")
	for _, tag := range tags {
		b.WriteString(" --tag " + tag)
	}
	for _, part := range parts {
		fmt.Fprintf(&b, " \\\n  \"%s@$(cat %s/%s)\"", image, digestFolder, part.id)
	}
	return b.String()
}

// imageName is the name of the first image without its tag, or "" where there is none.
func imageName(tags []string) (string, error) {
	var image string
	for _, tag := range tags {
		named, err := reference.ParseNormalizedNamed(tag)
		if err != nil {
			return "", fmt.Errorf("--tag %s: %w", tag, err)
		}
		image = cmp.Or(image, reference.FamiliarName(named))
	}
	return image, nil
}
