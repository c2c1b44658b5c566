package cli

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/selection"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// QueryOptions are the flags of the commands that show stages and their platforms without a
// builder.
type QueryOptions struct {
	DockerfileOptions
	Stages    StagesValue
	platforms []string
}

// AddFlags adds the flags of o to cmd, with their completion. The help shows defaultStages
// as the default of --stage.
func (o *QueryOptions) AddFlags(cmd *cobra.Command, defaultStages string) {
	o.DockerfileOptions.AddFlags(cmd)
	flags := cmd.Flags()
	flags.Var(&o.Stages, "stage", fmt.Sprintf(`Select stages by name or glob, and exclude them with "!" (e.g., "test-*,!test-slow") (default: %s)`, defaultStages))
	flags.Var(&o.Stages, "target", "Select stages (same as --stage)")
	AddPlatformFlag(flags, &o.platforms, QueryPlatformsUsage, os.Getenv)
	CompleteDockerfile(cmd, true)
	CompleteFlag(cmd, "platform", CompletePlatforms)
}

// Query is a Dockerfile, and the environment and platforms to resolve it for.
type Query struct {
	File      *syntax.File
	Env       plan.Env
	Platforms selection.Platforms
}

// Query reads the Dockerfile, and returns the query of the flags. Without --platform, that is
// for the declared platforms, otherwise for this machine's. An invalid flag is a usage error.
func (o *QueryOptions) Query(cmd *cobra.Command, stdin io.Reader, lookup LookupEnv) (*Query, error) {
	misuse := func(err error) error { return NewUsageError(cmd, err) }
	q := &Query{}
	var err error
	if q.Env, err = o.Env(lookup); err != nil {
		return nil, misuse(err)
	}
	if q.Platforms, err = SelectPlatforms(o.platforms, q.Env.Build); err != nil {
		return nil, misuse(err)
	}
	// Resolving an invalid file repeats its error, with further diagnostics.
	if q.File, err = o.Read(stdin); q.File == nil {
		return nil, err
	}
	q.Platforms = q.Platforms.OrDefault(q.File, q.Env.Build)
	return q, nil
}

// Selected returns the stages that match patterns, each with its platforms.
func (q *Query) Selected(stages selection.Patterns) (*selection.Selection, error) {
	return selection.Select(q.File, q.Env, stages, q.Platforms)
}

// Graphs returns a graph for each stage that matches patterns and each of its platforms. The
// notes, one a line, are about stages that cannot be built and names that are not declared.
func (q *Query) Graphs(stages selection.Patterns) (graphs []*graph.Graph, notes []string, err error) {
	chosen, err := q.Selected(stages)
	if err != nil {
		return nil, nil, err
	}
	notes = chosen.Notes
	var targets []*plan.Target
	for _, r := range chosen.Results {
		set, err := chosen.Set(r)
		if err != nil {
			return nil, nil, err
		}
		targets = append(targets, set.Targets...)
		for _, w := range set.Warnings {
			if note := w.Error(); !slices.Contains(notes, note) {
				notes = append(notes, note)
			}
		}
	}
	graphs = make([]*graph.Graph, len(targets))
	var reading sync.WaitGroup
	for i, t := range targets {
		reading.Go(func() { graphs[i] = graph.Of(t) })
	}
	reading.Wait()
	return graphs, notes, nil
}

// WithArgs returns the query with other values for some build args.
func (q *Query) WithArgs(values map[string]string) *Query {
	other := *q
	other.Env.Args = map[string]string{}
	maps.Copy(other.Env.Args, q.Env.Args)
	maps.Copy(other.Env.Args, values)
	return &other
}

// ForPlatform returns the query for one of its platforms.
func (q *Query) ForPlatform(platform string) *Query {
	other := *q
	targets, _ := q.Platforms.List(q.File) // which has succeeded for the query itself
	other.Platforms = selection.Platforms{Requested: slices.DeleteFunc(targets, func(p guard.Platform) bool { return guard.FormatPlatform(p) != platform })}
	return &other
}
