package build

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/buildx/build"
	"github.com/docker/buildx/util/buildflags"
	"github.com/moby/buildkit/client"

	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/result"
)

func (o *options) parseOutputs(req *request, _ cli.LookupEnv) error {
	entries, err := buildflags.ParseExports(o.Outputs)
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	outputs, _, err := build.CreateExports(entries)
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	req.dests = destinations(entries)
	req.files.Divert(entries, outputs)
	for _, out := range outputs {
		if o.ImageIDFile != "" && (out.Type == client.ExporterLocal || out.Type == client.ExporterTar) {
			return fmt.Errorf("--iidfile: output of type %q has no image ID", out.Type)
		}
	}
	if o.push {
		outputs = withPush(outputs)
	}
	if o.load {
		outputs = withLoad(outputs)
	}
	allow, allowDelete, err := buildflags.ParseEntitlements(o.allow)
	if err != nil {
		return fmt.Errorf("--allow: %w", err)
	}
	if err := build.ValidateLocalExportDelete(outputs, allowDelete); err != nil {
		return err
	}
	if req.build.Annotations, err = buildflags.ParseAnnotations(o.annotations); err != nil {
		return fmt.Errorf("--annotation: %w", err)
	}
	for _, out := range outputs {
		for k, v := range req.build.Annotations {
			out.Attrs[k.String()] = v
		}
	}
	req.build.Exports, req.build.Allow = outputs, allow
	return nil
}

// destinations returns the files and directories of the outputs. An archive without a
// destination goes to standard output.
func destinations(entries []*buildflags.ExportEntry) []string {
	var dests []string
	for _, e := range entries {
		dest := e.Destination
		if dest == "" && (e.Type == client.ExporterTar || e.Type == client.ExporterOCI) {
			dest = "-"
		}
		if dest != "" {
			dests = append(dests, dest)
		}
	}
	return dests
}

// withPush pushes every image output, or adds an image output that is pushed.
func withPush(outputs []client.ExportEntry) []client.ExportEntry {
	var pushed bool
	for _, out := range outputs {
		if out.Type != client.ExporterImage {
			continue
		}
		pushed = true
		out.Attrs["push"] = "true"
		// A push does not need the image unpacked in the daemon's image store.
		if _, ok := out.Attrs["unpack"]; !ok {
			out.Attrs["unpack"] = "false"
		}
	}
	if pushed {
		return outputs
	}
	return append(outputs, client.ExportEntry{
		Type:  client.ExporterImage,
		Attrs: map[string]string{"push": "true", "unpack": "false"},
	})
}

// withLoad adds an output to the engine unless outputs has one. An output of type docker
// with a dest does not count: it goes to a file.
func withLoad(outputs []client.ExportEntry) []client.ExportEntry {
	for _, out := range outputs {
		if out.Type != client.ExporterDocker {
			continue
		}
		if _, toFile := out.Attrs["dest"]; !toFile {
			return outputs
		}
	}
	return append(outputs, client.ExportEntry{Type: client.ExporterDocker, Attrs: map[string]string{}})
}

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
