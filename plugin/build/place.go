package build

import (
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client"

	"github.com/stagebuild/stagebuild/plugin/result"
)

// places returns the places that the build of a result writes to.
func (res *resultBuild) places() []result.Use {
	var outputs []result.Use
	for _, name := range res.imageNames() {
		outputs = append(outputs, result.Use{Place: result.ImageAt(name), Flag: "output"})
	}
	for _, dest := range res.dests {
		outputs = append(outputs, result.Use{Place: result.FileAt(dest), Flag: "output", Directory: slices.Contains(res.files.Directories, dest)})
	}
	return res.Result.Places(outputs, res.build.CacheTo)
}

// imageNames returns the names that outputs give to images in registries and image stores.
// It omits the names in archives, and of images that are pushed by digest: these cannot
// collide.
func (res *resultBuild) imageNames() []string {
	if len(res.Flags.Tags) > 0 {
		return nil // buildx gives all outputs these names
	}
	var names []string
	for _, e := range res.build.Exports {
		archive := e.Output != nil || e.OutputDir != ""
		byDigest, _ := strconv.ParseBool(e.Attrs["push-by-digest"]) // BuildKit reports another value
		if (e.Type == client.ExporterImage || e.Type == client.ExporterDocker) && !archive && !byDigest {
			names = append(names, strings.Split(e.Attrs["name"], ",")...)
		}
	}
	return names
}
