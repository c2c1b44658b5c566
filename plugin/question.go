package plugin

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/platforms"
	"github.com/docker/buildx/util/platformutil"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/plugin/selection"
)

// dockerfileOptions are the flags of all commands that are about a Dockerfile and
// need no builder, as they were written.
type dockerfileOptions struct {
	contextPath string
	file        string
	buildArgs   []string
	contexts    []string
}

// addFlags adds the flags to a command.
func (o *dockerfileOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	standard := "Dockerfile"
	if takesPath(cmd) {
		standard = "PATH/Dockerfile"
	}
	flags.StringVarP(&o.file, "file", "f", "", fmt.Sprintf("Name of the Dockerfile (default: %q)", standard))
	flags.StringArrayVar(&o.buildArgs, "build-arg", nil, "Set build-time variables")
	flags.StringArrayVar(&o.contexts, "build-context", nil, "Additional build contexts (e.g., name=path)")
}

// takesPath reports whether the argument of a command is the build context.
func takesPath(cmd *cobra.Command) bool {
	return strings.Contains(cmd.Use, "PATH")
}

// setPath takes the one argument of a command, PATH or "-", if it is there.
func (o *dockerfileOptions) setPath(args []string) {
	o.contextPath = "."
	if len(args) > 0 {
		o.contextPath = args[0]
	}
}

// read returns the file, which comes with its error when it is faulty, unless nothing
// at all can be said of it.
func (o *dockerfileOptions) read(stdin io.Reader) (*syntax.File, error) {
	file, err := readDockerfile(o.contextPath, o.file, stdin)
	if file != nil && err == nil {
		if err := file.BuildKitError(); err != nil {
			return nil, fmt.Errorf("%s: %w", file.Source.Name, err)
		}
	}
	return file, err
}

// env is what decides about the file on this machine, beside the file.
func (o *dockerfileOptions) env(lookup lookupEnv) (plan.Env, error) {
	return planEnv(localPlatform(), o.buildArgs, o.contexts, lookup)
}

// localPlatform is what a builder on this machine would build for: its
// architecture, and Linux on machines of other systems too.
func localPlatform() ocispecs.Platform {
	p := platforms.DefaultSpec()
	return platforms.Normalize(ocispecs.Platform{OS: "linux", Architecture: p.Architecture, Variant: p.Variant})
}

// questionOptions are the flags of the commands that are about stages of a
// Dockerfile and the platforms that these are built for.
type questionOptions struct {
	dockerfileOptions
	stages    stagesValue
	platforms []string
}

func (o *questionOptions) addFlags(cmd *cobra.Command) {
	o.dockerfileOptions.addFlags(cmd)
	flags := cmd.Flags()
	flags.Var(&o.stages, "stage", "Set the stages, by names and globs (e.g., 'test-*,!test-slow')")
	flags.Var(&o.stages, "target", "Set the stages (the same as --stage)")
	flags.StringArrayVar(&o.platforms, "platform", nil, `Set the platforms, "all" that the file declares or "local" (default: all, or else local)`)
	completeDockerfileFlags(cmd, true)
	complete(cmd, "platform", completePlatforms)
}

// question is a file, and what is asked about it.
type question struct {
	file      *syntax.File
	env       plan.Env
	platforms selection.Platforms
}

// ask reads what the flags are about. An error that is about the flags is a
// usageError.
func (o *questionOptions) ask(cmd *cobra.Command, stdin io.Reader, lookup lookupEnv) (*question, error) {
	misuse := func(err error) error { return &usageError{command: cmd.CommandPath(), err: err} }
	q := &question{}
	var err error
	if q.env, err = o.env(lookup); err != nil {
		return nil, misuse(err)
	}
	if q.platforms, err = askedPlatforms(o.platforms, q.env.Build); err != nil {
		return nil, misuse(err)
	}
	// A faulty file comes with its error, which resolving repeats with what else
	// is wrong.
	if q.file, err = o.read(stdin); q.file == nil {
		return nil, err
	}
	q.platforms.All = q.platforms.All || len(o.platforms) == 0 && len(q.file.Platforms) > 0
	if len(q.platforms.Named) == 0 && !q.platforms.All {
		q.platforms.Named = []guard.Platform{q.env.Build}
	}
	return q, nil
}

// askedPlatforms returns what --platform asks for, where "local" is this machine's own.
func askedPlatforms(given []string, own guard.Platform) (selection.Platforms, error) {
	wanted, err := parsePlatforms(given)
	if err != nil {
		return selection.Platforms{}, err
	}
	named, err := platformutil.Parse(wanted.names)
	if err != nil {
		return selection.Platforms{}, fmt.Errorf("--platform: %w", err)
	}
	if wanted.local {
		named = append([]guard.Platform{own}, named...)
	}
	return selection.Platforms{Named: named, All: wanted.all}, nil
}

// selected returns the stages that patterns mean, each with its platforms.
func (q *question) selected(stages selection.Patterns) (*selection.Selection, error) {
	return selection.Select(q.file, q.env, stages, q.platforms)
}

// graphs returns a graph for each of the stages that patterns mean and each of its
// platforms, and notes on what is left out or not declared: a line each.
func (q *question) graphs(stages selection.Patterns) (graphs []*graph.Graph, notes []string, err error) {
	chosen, err := q.selected(stages)
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

// printNotes prints what a command has to say beside its output.
func printNotes(w io.Writer, notes []string) {
	for _, note := range notes {
		fmt.Fprintf(w, "Note: %s\n", note)
	}
}
