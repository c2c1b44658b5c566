package result

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/selection"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// Result is a stage and the platforms that it is built for together.
type Result struct {
	// Name tells the result from the others: the stage, followed by the platforms if the
	// stage has several results. It is "" for the only result.
	Name string
	// Stage is the name of the stage as the user typed it, or "" for the default target.
	Stage string
	// Platforms are those that the stage is built for.
	Platforms []guard.Platform
	// Requested is false if Platforms is the builder's own because the user named none.
	Requested bool
	// Flags have their templates filled in.
	Flags Flags
}

// PlatformNames returns the platforms in the form that --platform takes, or nil if none
// was requested.
func (r *Result) PlatformNames() []string {
	if !r.Requested {
		return nil
	}
	return FormatPlatforms(r.Platforms)
}

// FormatPlatforms returns the names of platforms.
func FormatPlatforms(platforms []guard.Platform) []string {
	names := make([]string, len(platforms))
	for i, p := range platforms {
		names[i] = guard.FormatPlatform(p)
	}
	return names
}

// Split returns the results of the selected stages, one or more for each stage. It separates
// the platforms for which templates in flags have different values.
func Split(file *syntax.File, env plan.Env, flags Flags, selected []selection.Result) ([]*Result, error) {
	var list []*Result
	for _, s := range selected {
		values := &Values{Stage: stageName(file, s.Stage), file: file, env: env, platform: env.Build}
		parts, err := flags.split(values, s.Platforms)
		if err != nil {
			return nil, err
		}
		for _, r := range parts {
			r.Stage, r.Name = s.Stage, values.Stage
			if len(parts) > 1 {
				r.Name += " " + strings.Join(r.PlatformNames(), ",")
			}
			list = append(list, r)
		}
	}
	if len(list) == 1 {
		list[0].Name = ""
	}
	return list, nil
}

// split groups the platforms of one stage by the values that the templates have for them.
// Without platforms, the result is for the builder's own.
func (f *Flags) split(values *Values, targets []guard.Platform) ([]*Result, error) {
	if len(targets) == 0 {
		filled, err := f.fill(values)
		if err != nil {
			return nil, err
		}
		return []*Result{{Flags: filled, Platforms: []guard.Platform{values.platform}}}, nil
	}
	var parts []*Result
	byValues := map[string]*Result{}
	for _, values.platform = range targets {
		filled, err := f.fill(values)
		if err != nil {
			return nil, err
		}
		key := fmt.Sprintf("%q", filled.texts())
		r := byValues[key]
		if r == nil {
			r = &Result{Flags: filled, Requested: true}
			byValues[key] = r
			parts = append(parts, r)
		}
		r.Platforms = append(r.Platforms, values.platform)
	}
	return parts, nil
}

// stageName returns the name of a stage in templates. BuildKit calls an unnamed default
// target "default" too.
func stageName(file *syntax.File, name string) string {
	if name == "" && len(file.Stages) > 0 {
		name = file.Stages[len(file.Stages)-1].Name
	}
	return cmp.Or(strings.ToLower(name), "default")
}
