package matrix

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/distribution/reference"

	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/result"
)

// digestDirectory holds the digests of the pushed images. Each file is named after the cache
// scope of the job that pushed the image.
const digestDirectory = "digests"

// githubMerge is one job for GitHub Actions that merges images. Later versions only add
// fields.
type githubMerge struct {
	Name  string `json:"name"`
	Stage string `json:"stage"`
	// Platform lists the platforms of the image, and Tags its names.
	Platform string `json:"platform"`
	Image    string `json:"image"`
	Tags     string `json:"tags"`
	// Command creates the image from the digests of its platforms.
	Command string `json:"command"`
}

// printMerge prints commands that merge the images of single platforms, which were pushed by
// digest, into one image for each stage.
func (o *matrixOptions) printMerge(out io.Writer, results []*result.Result) error {
	parts := map[string][]*job{}
	for _, j := range jobs(results, true) {
		parts[j.Stage] = append(parts[j.Stage], j)
	}
	m := githubMatrix[githubMerge]{}
	for _, r := range results {
		if len(parts[r.Stage]) > len(r.Platforms) {
			return errors.New("--merge needs one image name for all platforms; remove the platform from --tag")
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

// mergeCommand returns the command for one image. It names the digest file of each platform, so
// that a missing digest is an error. Image names and IDs need no quotes.
func mergeCommand(image string, tags []string, parts []*job) string {
	var b strings.Builder
	b.WriteString("docker buildx imagetools create")
	for _, tag := range tags {
		b.WriteString(" --tag " + tag)
	}
	for _, part := range parts {
		fmt.Fprintf(&b, " \\\n  \"%s@$(cat %s/%s)\"", image, digestDirectory, part.id)
	}
	return b.String()
}

// imageName returns the name of the first image without its tag, or "" without images.
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
