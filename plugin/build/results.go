package build

import (
	"github.com/moby/buildkit/identity"

	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/selection"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/pipeline"
	"github.com/stagebuild/stagebuild/plugin/result"
)

// resultBuild is the build of one result.
type resultBuild struct {
	*result.Result
	*request
	outcome *pipeline.Outcome // nil until the build has ended
}

// target returns the target of the pipeline that builds the result.
func (res *resultBuild) target() *pipeline.Target {
	return &pipeline.Target{Name: res.Name, Options: res.build, Platforms: res.platforms, Files: &res.files}
}

// onlyResult returns the only result of flags that do not depend on the Dockerfile.
func (o *options) onlyResult(env cli.LookupEnv) ([]*resultBuild, error) {
	r := &result.Result{Flags: o.Flags}
	r.Stage, _ = o.stages.Name()
	req, err := o.request(r.Stage, env)
	return []*resultBuild{{Result: r, request: req}}, err
}

// results returns a build for each result of the selected stages.
func (o *options) results(file *syntax.File, env plan.Env, selected []selection.Result, lookup cli.LookupEnv) ([]*resultBuild, error) {
	list, err := result.Split(file, env, o.Flags, selected)
	if err != nil {
		return nil, err
	}
	var builds []*resultBuild
	var places []result.Use
	for _, r := range list {
		options := *o
		options.Flags, options.platforms = r.Flags, r.PlatformNames()
		req, err := options.request(r.Stage, lookup)
		if err != nil {
			return nil, err
		}
		req.build.Ref = identity.NewID()
		res := &resultBuild{Result: r, request: req}
		builds = append(builds, res)
		places = append(places, res.places()...)
	}
	return builds, result.CheckPlaces(places)
}
