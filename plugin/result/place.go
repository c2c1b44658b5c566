package result

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client"

	"github.com/stagebuild/stagebuild/plugin/cli"
)

// Place is a file, an image name or a cache that a result writes. Places of different kinds
// can share a name.
type Place struct {
	Kind Kind
	Name string
}

// Kind is the kind of a place.
type Kind int

// The kinds of places.
const (
	filePlace  Kind = iota // a file or directory, by its resolved path; "-" is standard output
	imagePlace             // a name in a registry or an image store
	cachePlace             // an exported cache that is neither a directory nor an image
)

// Use is a result that writes to a place.
type Use struct {
	Place Place
	// Flag is the name of the flag that names the place.
	Flag string
	// Directory is set if the place is a directory that the flag fills.
	Directory bool

	result *Result
}

// CheckPlaces returns an error if two results write to the same place.
func CheckPlaces(uses []Use) error {
	taken := map[Place]Use{}
	for _, use := range uses {
		other, ok := taken[use.Place]
		if ok && other.result != use.result {
			return samePlaceError(other, use)
		}
		if !ok {
			taken[use.Place] = use
		}
	}
	for _, use := range uses {
		if dir, ok := directoryAround(use, taken); ok {
			return fmt.Errorf("--%s of %s would write %s, which is inside %s, where --%s of %s writes; give each a place of its own",
				use.Flag, use.result.Name, use.Place.Name, dir.Place.Name, dir.Flag, dir.result.Name)
		}
	}
	return nil
}

func samePlaceError(a, b Use) error {
	if a.Flag != b.Flag {
		return fmt.Errorf("--%s of %s and --%s of %s would both write %s; give each a place of its own", a.Flag, a.result.Name, b.Flag, b.result.Name, a.Place.Name)
	}
	return fmt.Errorf("--%s: %s and %s would both write %s; put {{.Stage}} into it, or {{.Platform}} where platforms differ", a.Flag, a.result.Name, b.result.Name, a.Place.Name)
}

// directoryAround returns the output directory of another result that contains the file or
// directory of use, which that result may overwrite or delete.
func directoryAround(use Use, taken map[Place]Use) (Use, bool) {
	if use.Place.Kind != filePlace {
		return Use{}, false
	}
	path := use.Place.Name
	for parent := filepath.Dir(path); parent != path; path, parent = parent, filepath.Dir(parent) {
		if dir := taken[Place{filePlace, parent}]; dir.Directory && dir.result != use.result {
			return dir, true
		}
	}
	return Use{}, false
}

// Places returns the places that a result writes to: those of its tags, its outputs, its
// caches and its files. The caller, which has parsed the outputs and caches, passes them.
func (r *Result) Places(outputs []Use, cacheTo []client.CacheOptionsEntry) []Use {
	var list []Use
	add := func(use Use) {
		if use.Place.Name != "" {
			use.result = r
			list = append(list, use)
		}
	}
	for _, tag := range r.Flags.Tags {
		add(Use{Place: ImageAt(tag), Flag: "tag"})
	}
	for _, output := range outputs {
		add(output)
	}
	for _, cache := range cacheTo {
		add(Use{Place: placeOfCache(cache), Flag: "cache-to"})
	}
	add(Use{Place: FileAt(r.Flags.MetadataFile), Flag: "metadata-file"})
	add(Use{Place: FileAt(r.Flags.ImageIDFile), Flag: "iidfile"})
	return list
}

// FileAt returns the place of a path, with links resolved.
func FileAt(path string) Place {
	return Place{filePlace, cli.ResolvePath(path)}
}

// ImageAt returns the place of an image name in its full form. An invalid name is kept as
// it is: the build reports it.
func ImageAt(name string) Place {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return Place{imagePlace, name}
	}
	return Place{imagePlace, reference.TagNameOnly(named).String()}
}

// placeOfCache returns the place that a cache is exported to. An inline cache has no name,
// because it is a part of its image.
func placeOfCache(c client.CacheOptionsEntry) Place {
	switch c.Type {
	case "inline":
		return Place{cachePlace, ""}
	case "local":
		return FileAt(c.Attrs["dest"])
	case "registry":
		return ImageAt(c.Attrs["ref"])
	}
	keys := []string{c.Type}
	for _, key := range []string{"scope", "bucket", "container", "prefix", "name"} {
		if v, ok := c.Attrs[key]; ok {
			keys = append(keys, key+"="+v)
		}
	}
	return Place{cachePlace, strings.Join(keys, ",")}
}
