package plugin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/buildkit/identity"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/plugin/selection"
)

// result is one of the results of a build command: a stage, with places of its
// own to go to.
type result struct {
	// name tells it from the others: the stage, and the platform of a result
	// that is for one of several. It is "" for the only one.
	name    string
	options buildOptions // filled in
	*request
	// builtFor are its platforms, the builder's own where none is asked for.
	builtFor []guard.Platform
	// outcome is set when the result was built, or could not be.
	outcome *outcome
}

// texts are what templates can be in.
func (o *buildOptions) texts() []string {
	return slices.Concat(o.tags, o.outputs, o.cacheFrom, o.cacheTo, []string{o.metadataFile, o.imageIDFile})
}

// templated reports whether a flag has something to be filled in.
func (o *buildOptions) templated() bool {
	return slices.ContainsFunc(o.texts(), isTemplate)
}

// only is the result of a command whose flags say all about it.
func (o *buildOptions) only(env lookupEnv) ([]*result, error) {
	r := &result{options: *o}
	r.options.target, _ = o.stages.Name()
	var err error
	r.request, err = r.options.request(env)
	return []*result{r}, err
}

// results makes a result of each stage that was selected: several where templates say
// different things for its platforms.
func (o *buildOptions) results(file *syntax.File, env plan.Env, selected []selection.Result, lookup lookupEnv) ([]*result, error) {
	var list []*result
	for _, s := range selected {
		values := &templateValues{Stage: stageName(file, s.Stage), file: file, env: env, platform: env.Build}
		parts, err := o.parts(values, s.Platforms)
		if err != nil {
			return nil, err
		}
		for _, r := range parts {
			r.name = values.Stage
			if len(parts) > 1 {
				r.name += " " + strings.Join(r.options.platforms, ",")
			}
			r.options.target = s.Stage
			if r.request, err = r.options.request(lookup); err != nil {
				return nil, err
			}
			list = append(list, r)
		}
	}
	if len(list) == 1 {
		list[0].name = ""
	}
	for _, r := range list {
		r.build.Ref = identity.NewID()
	}
	return list, checkPlaces(list)
}

// parts makes a result of the platforms for which the templates say the same. No
// platforms stand for the builder's own.
func (o *buildOptions) parts(values *templateValues, targets []guard.Platform) ([]*result, error) {
	if len(targets) == 0 {
		options, err := o.filledIn(values)
		if err != nil {
			return nil, err
		}
		options.platforms = nil
		return []*result{{options: *options, builtFor: []guard.Platform{values.platform}}}, nil
	}
	var parts []*result
	same := map[string]*result{}
	for _, values.platform = range targets {
		options, err := o.filledIn(values)
		if err != nil {
			return nil, err
		}
		key := fmt.Sprintf("%q", options.texts())
		r := same[key]
		if r == nil {
			r = &result{options: *options}
			r.options.platforms = nil
			same[key] = r
			parts = append(parts, r)
		}
		r.builtFor = append(r.builtFor, values.platform)
		r.options.platforms = append(r.options.platforms, guard.FormatPlatform(values.platform))
	}
	return parts, nil
}

// stageName is what a template calls a stage: as BuildKit does a default stage
// without a name.
func stageName(file *syntax.File, name string) string {
	if name == "" && len(file.Stages) > 0 {
		name = file.Stages[len(file.Stages)-1].Name
	}
	return cmp.Or(strings.ToLower(name), "default")
}

// filledIn returns the flags with their templates filled in.
func (o *buildOptions) filledIn(values *templateValues) (*buildOptions, error) {
	options := *o
	for _, list := range []*[]string{&options.tags, &options.outputs, &options.cacheFrom, &options.cacheTo} {
		*list = slices.Clone(*list)
	}
	err := options.eachTemplate(func(flag string, text *string) (err error) {
		*text, err = values.expand(flag, *text)
		return err
	})
	return &options, err
}

// eachTemplate calls a function with each value that can be a template, and the name of
// its flag, until it fails.
func (o *buildOptions) eachTemplate(f func(flag string, text *string) error) error {
	for _, flag := range []struct {
		name   string
		values []string
	}{{"tag", o.tags}, {"output", o.outputs}, {"cache-from", o.cacheFrom}, {"cache-to", o.cacheTo}} {
		for i := range flag.values {
			if err := f(flag.name, &flag.values[i]); err != nil {
				return err
			}
		}
	}
	if err := f("metadata-file", &o.metadataFile); err != nil {
		return err
	}
	return f("iidfile", &o.imageIDFile)
}
