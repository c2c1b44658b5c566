package subrequest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"

	"github.com/stagebuild/stagebuild/frontend/gateway"
	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/frontend/matrix"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/selection"
)

// textWidth is the width of a result's text in columns: the frontend does not know the
// terminal.
const textWidth = 80

// method is a subrequest that BuildKit's frontend does not have.
type method struct {
	subrequests.Request
	run func(*server) (view, error)
}

// view is the result of a method. It marshals to the JSON form of the result.
type view interface {
	// Write writes the text of the result, at most width columns wide.
	Write(w io.Writer, width int) error
}

// ownMethods returns the subrequests of this frontend.
func ownMethods() []method {
	return []method{
		newMethod("explain", "Explain what the target is made of, and why", (*server).explain),
		newMethod("graph", "Show what the target is made of, for all platforms", (*server).graph),
		newMethod("matrix", "List which stages can be built for which platforms", (*server).matrix),
	}
}

func newMethod(name, description string, run func(*server) (view, error)) method {
	return method{run: run, Request: subrequests.Request{
		Name: "frontend." + name, Version: "1.0.0", Type: subrequests.TypeRPC, Description: description,
		Opts: []subrequests.Named{
			{Name: gateway.OptionTarget, Description: "Target build stage"},
			{Name: gateway.OptionPlatform, Description: "Target platforms"},
		},
		Metadata: []subrequests.Named{{Name: gateway.ResultJSON}, {Name: gateway.ResultText}},
	}}
}

// serveOwn serves a subrequest of this frontend.
func (s *server) serveOwn(m method) (*client.Result, error) {
	if err := s.File.BuildKitError(); err != nil {
		return nil, err
	}
	v, err := m.run(s)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := v.Write(&text, textWidth); err != nil {
		return nil, err
	}
	return newResult(v, text.Bytes(), m.Version)
}

// newResult returns a result with the entries that BuildKit's subrequests have.
func newResult(value any, text []byte, version string) (*client.Result, error) {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return nil, err
	}
	res := client.NewResult()
	res.AddMeta(gateway.ResultJSON, data)
	res.AddMeta(gateway.ResultText, text)
	res.AddMeta(gateway.ResultVersion, []byte(version))
	return res, nil
}

// addOwnMethods adds the frontend's own subrequests to BuildKit's list of subrequests.
func addOwnMethods(res *client.Result) (*client.Result, error) {
	var list []subrequests.Request
	if err := json.Unmarshal(res.Metadata[gateway.ResultJSON], &list); err != nil {
		return nil, fmt.Errorf("reading the list of subrequests: %w", err)
	}
	for _, m := range ownMethods() {
		list = append(list, m.Request)
	}
	data, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := subrequests.PrintDescribe(data, &text); err != nil {
		return nil, err
	}
	return newResult(list, text.Bytes(), string(res.Metadata[gateway.ResultVersion]))
}

// platforms returns the platforms to inspect the file for.
func (s *server) platforms() selection.Platforms {
	return selection.Platforms{Requested: s.Requested}.OrDefault(s.File, s.Env.Build)
}

func (s *server) explain() (view, error) {
	graphs, err := s.graphs()
	return &graph.Explanation{Explanations: graphs}, err
}

func (s *server) graph() (view, error) {
	graphs, err := s.graphs()
	if err != nil {
		return nil, err
	}
	return graph.Merge(graphs...).Reached(), nil
}

// graphs returns the graph of the target for each platform, except for declared
// platforms that the target cannot be built for.
func (s *server) graphs() ([]*graph.Graph, error) {
	if s.Target != "" && s.File.Group(s.Target) == nil {
		return nil, s.File.NoStageError(s.Target)
	}
	chosen := s.platforms()
	list, err := chosen.List(s.File)
	if err != nil {
		return nil, err
	}
	resolve := plan.Resolve
	if chosen.All {
		resolve = plan.ResolvePossible
	}
	set, err := resolve(s.File, s.Env, plan.Request{Stage: s.Target, Platforms: list})
	if err != nil {
		return nil, err
	}
	var graphs []*graph.Graph
	for _, t := range set.Targets {
		graphs = append(graphs, graph.Of(t))
	}
	return graphs, nil
}

// matrix returns the matrix of the target, otherwise of all stages.
func (s *server) matrix() (view, error) {
	patterns := selection.Every(s.File)
	if s.Target != "" {
		patterns = selection.Stage(s.Target)
	}
	chosen, err := selection.Select(s.File, s.Env, patterns, s.platforms())
	if err != nil {
		return nil, err
	}
	m := chosen.Matrix(s.File)
	for i := range m.Stages {
		m.Stages[i].Stage = strings.ToLower(m.Stages[i].Stage) // as in the file
	}
	for i := range m.Impossible {
		m.Impossible[i].Stage = strings.ToLower(m.Impossible[i].Stage)
	}
	return table{m}, nil
}

// table is the view of a matrix.
type table struct{ *matrix.Matrix }

// Write writes the table and a note about each pair that is left out. It ignores the width,
// because its lines are short.
func (t table) Write(w io.Writer, _ int) error {
	err := t.WriteTable(w)
	for _, note := range t.Notes() {
		if _, failed := fmt.Fprintf(w, "Note: %s\n", note); err == nil {
			err = failed
		}
	}
	return err
}
