package result

import (
	"fmt"
	"slices"

	"github.com/docker/buildx/build"
	"github.com/docker/buildx/util/buildflags"
	"github.com/moby/buildkit/client"
)

// Flags are the values of the flags that can be templates, because results need
// values of their own.
type Flags struct {
	Tags         []string
	Outputs      []string
	CacheFrom    []string
	CacheTo      []string
	MetadataFile string
	ImageIDFile  string
}

// texts returns all values.
func (f *Flags) texts() []string {
	return slices.Concat(f.Tags, f.Outputs, f.CacheFrom, f.CacheTo, []string{f.MetadataFile, f.ImageIDFile})
}

// HasTemplate reports whether a value is a template.
func (f *Flags) HasTemplate() bool {
	return slices.ContainsFunc(f.texts(), IsTemplate)
}

// CheckTemplates parses the values that are templates.
func (f *Flags) CheckTemplates() error {
	return f.eachTemplate(checkTemplate)
}

// WithoutTemplates returns the flags without the list values that are templates.
func (f *Flags) WithoutTemplates() Flags {
	plain := f.clone()
	for _, list := range plain.lists() {
		*list.values = slices.DeleteFunc(*list.values, IsTemplate)
	}
	return plain
}

// fill returns the flags with their templates filled in.
func (f *Flags) fill(values *Values) (Flags, error) {
	filled := f.clone()
	err := filled.eachTemplate(func(flag string, text *string) (err error) {
		*text, err = values.expand(flag, *text)
		return err
	})
	return filled, err
}

// ParseCaches parses --cache-from and --cache-to.
func (f *Flags) ParseCaches() (from, to []client.CacheOptionsEntry, err error) {
	sources, err := buildflags.ParseCacheEntry(f.CacheFrom)
	if err != nil {
		return nil, nil, fmt.Errorf("--cache-from: %w", err)
	}
	destinations, err := buildflags.ParseCacheEntry(f.CacheTo)
	if err != nil {
		return nil, nil, fmt.Errorf("--cache-to: %w", err)
	}
	return build.CreateCaches(sources), build.CreateCaches(destinations), nil
}

func (f *Flags) clone() Flags {
	flags := *f
	for _, list := range flags.lists() {
		*list.values = slices.Clone(*list.values)
	}
	return flags
}

// listFlag is a flag that can be given several times.
type listFlag struct {
	name   string
	values *[]string
}

func (f *Flags) lists() []listFlag {
	return []listFlag{{"tag", &f.Tags}, {"output", &f.Outputs}, {"cache-from", &f.CacheFrom}, {"cache-to", &f.CacheTo}}
}

// eachTemplate calls visit with the name of each flag and a pointer to each of its values,
// until visit fails.
func (f *Flags) eachTemplate(visit func(flag string, text *string) error) error {
	for _, list := range f.lists() {
		for i := range *list.values {
			if err := visit(list.name, &(*list.values)[i]); err != nil {
				return err
			}
		}
	}
	if err := visit("metadata-file", &f.MetadataFile); err != nil {
		return err
	}
	return visit("iidfile", &f.ImageIDFile)
}
