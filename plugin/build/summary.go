package build

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	continuity "github.com/containerd/continuity/fs"
	"github.com/distribution/reference"
	"github.com/docker/buildx/util/imagetools"
	"github.com/docker/go-units"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/result"
)

// summarize prints the notes and, for several results, a table of them to standard error.
func (r *buildRun) summarize(ctx context.Context, results []*resultBuild) {
	if len(r.notes) == 0 && len(results) == 1 {
		return
	}
	out := r.DockerCLI.Err()
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
			res.outcome.Steps, cmp.Or(r.size(ctx, res), "-"), res.outcome.Duration.Round(100*time.Millisecond))
	}
	_ = w.Flush() // a failed write to standard error cannot be reported
}

// where returns the digest of the result's image and the paths of its files, or "failed" or
// "stopped".
func (res *resultBuild) where() string {
	switch err := res.outcome.Err; {
	case err == nil:
	case cli.IsInterrupted(err):
		return "stopped"
	default:
		return "failed"
	}
	var list []string
	if id := res.outcome.Response.ExporterResponse[exptypes.ExporterImageDigestKey]; id != "" {
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

// size returns the size of a result at its destination: of its files, of an image's compressed
// layers in a registry, or of an image in the engine. It returns "" if the size is unknown.
func (r *buildRun) size(ctx context.Context, res *resultBuild) string {
	if res.outcome.Err != nil {
		return ""
	}
	if len(res.dests) > 0 {
		return formatSize(filesSize(res.dests))
	}
	for _, e := range res.build.Exports {
		names := append(strings.Split(e.Attrs["name"], ","), res.build.Tags...)
		names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
		if e.Type == client.ExporterImage && e.Attrs["push"] == "true" && len(names) > 0 {
			return formatSize(r.pushedSize(ctx, res, names[0]))
		}
	}
	return formatSize(r.loadedSize(ctx, res))
}

func formatSize(bytes int64, err error) string {
	if err != nil || bytes == 0 {
		return ""
	}
	return units.HumanSize(float64(bytes))
}

// filesSize returns the total size of files, and of all files in directories. A file with
// several names counts once.
func filesSize(paths []string) (int64, error) {
	var sum int64
	linked := map[uint64]bool{}
	for _, path := range paths {
		if path == "-" {
			continue
		}
		err := filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			if inode, ok := continuity.GetLinkInfo(info); ok {
				if linked[inode] {
					return nil
				}
				linked[inode] = true
			}
			sum += info.Size()
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return sum, nil
}

// pushedSize returns the size of an image in its registry, for all its platforms. name is one
// of its names.
func (r *buildRun) pushedSize(ctx context.Context, res *resultBuild, name string) (int64, error) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return 0, err
	}
	id := res.outcome.Response.ExporterResponse[exptypes.ExporterImageDigestKey]
	loc, err := imagetools.ParseLocation(reference.TrimNamed(named).String() + "@" + id)
	if err != nil {
		return 0, err
	}
	images := imagetools.New(r.Builder.Nodes[0].ImageOpt)
	dt, _, err := images.Get(ctx, loc.String())
	if err != nil {
		return 0, err
	}
	return manifestSize(ctx, images, loc, dt)
}

// manifestSize returns the size of the config and layers in a manifest, or in the image
// manifests of an index.
func manifestSize(ctx context.Context, images *imagetools.Resolver, loc *imagetools.Location, dt []byte) (int64, error) {
	var m struct {
		Manifests []ocispecs.Descriptor `json:"manifests"`
		Config    ocispecs.Descriptor   `json:"config"`
		Layers    []ocispecs.Descriptor `json:"layers"`
	}
	if err := json.Unmarshal(dt, &m); err != nil {
		return 0, err
	}
	sum := m.Config.Size
	for _, layer := range m.Layers {
		sum += layer.Size
	}
	for _, part := range m.Manifests {
		if part.Platform != nil && part.Platform.OS == "unknown" {
			continue // an attestation (docs/attestations/attestation-storage.md of BuildKit)
		}
		dt, err := images.GetDescriptor(ctx, loc, part)
		if err != nil {
			return 0, err
		}
		size, err := manifestSize(ctx, images, loc, dt)
		if err != nil {
			return 0, err
		}
		sum += size
	}
	return sum, nil
}

// loadedSize returns the size of an image that was loaded into the engine.
func (r *buildRun) loadedSize(ctx context.Context, res *resultBuild) (int64, error) {
	id := imageID(res.outcome.Response.ExporterResponse)
	loaded := r.Builder.Driver == "docker"
	for _, e := range res.build.Exports {
		loaded = loaded || e.Type == client.ExporterDocker
	}
	if id == "" || !loaded {
		return 0, nil
	}
	image, err := r.DockerCLI.Client().ImageInspect(ctx, id)
	return image.Size, err
}
