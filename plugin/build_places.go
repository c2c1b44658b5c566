package plugin

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client"
)

// place is somewhere a result is written to. What is of different kinds can have the
// same name.
type place struct {
	kind placeKind
	name string
}

type placeKind int

const (
	fileKind  placeKind = iota // a file or a folder, by its resolved path; "-" is standard output
	imageKind                  // a name in a registry or an image store
	cacheKind                  // where else a cache is exported to
)

// placeUse is a result that writes to a place.
type placeUse struct {
	place
	result *result
	flag   string // that has it written
	folder bool   // that an output fills
}

// checkPlaces refuses results that would write the same place.
func checkPlaces(results []*result) error {
	var uses []placeUse
	for _, r := range results {
		uses = append(uses, r.places()...)
	}
	taken := map[place]placeUse{}
	for _, use := range uses {
		other, ok := taken[use.place]
		if ok && other.result != use.result {
			return samePlaceError(other, use)
		}
		if !ok {
			taken[use.place] = use
		}
	}
	for _, use := range uses {
		if folder, ok := folderAround(use, taken); ok {
			return fmt.Errorf("--%s of %s would write %s, which is inside %s, where --%s of %s writes; give each a place of its own",
				use.flag, use.result.name, use.name, folder.name, folder.flag, folder.result.name)
		}
	}
	return nil
}

func samePlaceError(a, b placeUse) error {
	if a.flag != b.flag {
		return fmt.Errorf("--%s of %s and --%s of %s would both write %s; give each a place of its own", a.flag, a.result.name, b.flag, b.result.name, a.name)
	}
	return fmt.Errorf("--%s: %s and %s would both write %s; put {{.Stage}} into it, or {{.Platform}} where platforms differ", a.flag, a.result.name, b.result.name, a.name)
}

// folderAround returns the output folder of another result that a file or a folder is
// in: what is in it may be overwritten, or deleted.
func folderAround(use placeUse, taken map[place]placeUse) (placeUse, bool) {
	if use.kind != fileKind {
		return placeUse{}, false
	}
	path := use.name
	for parent := filepath.Dir(path); parent != path; path, parent = parent, filepath.Dir(parent) {
		if folder := taken[place{fileKind, parent}]; folder.folder && folder.result != use.result {
			return folder, true
		}
	}
	return placeUse{}, false
}

// places returns where a result is written to.
func (res *result) places() []placeUse {
	var list []placeUse
	add := func(flag string, kind placeKind, name string, folder bool) {
		if name != "" {
			list = append(list, placeUse{place{kind, name}, res, flag, folder})
		}
	}
	for _, tag := range res.options.tags {
		add("tag", imageKind, normalTag(tag), false)
	}
	for _, name := range res.imageNames() {
		add("output", imageKind, normalTag(name), false)
	}
	for _, dest := range res.dests {
		add("output", fileKind, resolved(dest), slices.Contains(res.files.folders, dest))
	}
	for _, cache := range res.build.CacheTo {
		kind, name := cachePlace(cache)
		add("cache-to", kind, name, false)
	}
	add("metadata-file", fileKind, resolved(res.options.metadataFile), false)
	add("iidfile", fileKind, resolved(res.options.imageIDFile), false)
	return list
}

// imageNames are the names that outputs give to images in registries and image stores.
// Those in archives are not written anywhere else, and an image that is pushed by its
// digest takes no name from another.
func (res *result) imageNames() []string {
	if len(res.options.tags) > 0 {
		return nil // buildx gives all outputs these names
	}
	var names []string
	for _, e := range res.build.Exports {
		archive := e.Output != nil || e.OutputDir != ""
		byDigest, _ := strconv.ParseBool(e.Attrs["push-by-digest"]) // BuildKit refuses what is neither
		if (e.Type == client.ExporterImage || e.Type == client.ExporterDocker) && !archive && !byDigest {
			names = append(names, strings.Split(e.Attrs["name"], ",")...)
		}
	}
	return names
}

// normalTag is an image's name in its one full form. One that is no image name is
// refused when it is used.
func normalTag(tag string) string {
	named, err := reference.ParseNormalizedNamed(tag)
	if err != nil {
		return tag
	}
	return reference.TagNameOnly(named).String()
}

func absolute(path string) string {
	if path == "" || path == "-" {
		return path
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// resolved is the absolute path that a path leads to over links. What it leads to need
// not be there yet.
func resolved(path string) string {
	if path == "" || path == "-" {
		return path
	}
	target, err := followLinks(absolute(path))
	if err != nil {
		return path // writing it fails, too
	}
	parent := filepath.Dir(target)
	if parent == target {
		return target
	}
	return filepath.Join(resolved(parent), filepath.Base(target))
}

// cachePlace is where a cache is exported to. It has no name for one that is a part of
// its image.
func cachePlace(c client.CacheOptionsEntry) (placeKind, string) {
	switch c.Type {
	case "inline":
		return cacheKind, ""
	case "local":
		return fileKind, resolved(c.Attrs["dest"])
	case "registry":
		return imageKind, normalTag(c.Attrs["ref"])
	}
	keys := []string{c.Type}
	for _, key := range []string{"scope", "bucket", "container", "prefix", "name"} {
		if v, ok := c.Attrs[key]; ok {
			keys = append(keys, key+"="+v)
		}
	}
	return cacheKind, strings.Join(keys, ",")
}
