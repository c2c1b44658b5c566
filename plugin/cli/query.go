package cli

import (
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/selection"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// QueryOptions are the flags of the commands that are about stages of a
// Dockerfile and the platforms that these are built for.
type QueryOptions struct {
	DockerfileOptions
	Stages    StagesValue
	platforms []string
}

func (o *QueryOptions) AddFlags(cmd *cobra.Command) {
	o.DockerfileOptions.AddFlags(cmd)
	flags := cmd.Flags()
	flags.Var(&o.Stages, "stage", "Set the stages, by names and globs (e.g., 'test-*,!test-slow')")
	flags.Var(&o.Stages, "target", "Set the stages (the same as --stage)")
	flags.StringArrayVar(&o.platforms, "platform", nil, `Set the platforms, "all" that the file declares or "local" (default: all, or else local)`)
	CompleteDockerfile(cmd, true)
	CompleteFlag(cmd, "platform", CompletePlatforms)
}

// question is a file, and what is asked about it.
type Query struct {
	File      *syntax.File
	Env       plan.Env
	Platforms selection.Platforms
}

// ask reads what the flags are about. An error that is about the flags is a
// usageError.
func (o *QueryOptions) Query(cmd *cobra.Command, stdin io.Reader, lookup LookupEnv) (*Query, error) {
	misuse := func(err error) error { return NewUsageError(cmd, err) }
	q := &Query{}
	var err error
	if q.Env, err = o.Env(lookup); err != nil {
		return nil, misuse(err)
	}
	if q.Platforms, err = AskedPlatforms(o.platforms, q.Env.Build); err != nil {
		return nil, misuse(err)
	}
	// A faulty file comes with its error, which resolving repeats with what else
	// is wrong.
	if q.File, err = o.Read(stdin); q.File == nil {
		return nil, err
	}
	q.Platforms = q.Platforms.OrDefault(q.File, q.Env.Build)
	return q, nil
}

// Selected returns the stages that patterns mean, each with its platforms.
func (q *Query) Selected(stages selection.Patterns) (*selection.Selection, error) {
	return selection.Select(q.File, q.Env, stages, q.Platforms)
}

// Graphs returns a graph for each of the stages that patterns mean and each of its
// platforms, and notes on what is left out or not declared: a line each.
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
