package frontend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/stagebuild/stagebuild/frontend/gateway"
	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/frontend/matrix"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// textWidth is how many columns the text of an answer has: who reads it is not
// known here.
const textWidth = 80

// question is a subrequest that BuildKit's own frontend does not have.
type question struct {
	subrequests.Request
	answer func(*request, *syntax.File) (answer, error)
}

// answer is what is returned of a question, as JSON too.
type answer interface {
	Write(w io.Writer, width int) error
}

// questions returns the subrequests of this frontend's own.
func questions() []question {
	return []question{
		newQuestion("explain", "Explain what the target is made of, and why", (*request).explain),
		newQuestion("graph", "Show what the target is made of, for all platforms", (*request).graph),
		newQuestion("matrix", "List which stages can be built for which platforms", (*request).matrix),
	}
}

func newQuestion(name, description string, answer func(*request, *syntax.File) (answer, error)) question {
	return question{answer: answer, Request: subrequests.Request{
		Name: "frontend." + name, Version: "1.0.0", Type: subrequests.TypeRPC, Description: description,
		Opts:     []subrequests.Named{{Name: gateway.OptionTarget, Description: "Target build stage"}, {Name: gateway.OptionPlatform, Description: "Target platforms"}},
		Metadata: []subrequests.Named{{Name: gateway.ResultJSON}, {Name: gateway.ResultText}},
	}}
}

// question answers a request of this frontend's own. It reports false for any other.
func (r *request) question(file *syntax.File) (*client.Result, bool, error) {
	id := r.BuildOpts().Opts[gateway.OptionRequestID]
	for _, q := range questions() {
		if q.Name != id {
			continue
		}
		if err := file.BuildKitError(); err != nil {
			return nil, true, err
		}
		a, err := q.answer(r, file)
		if err != nil {
			return nil, true, err
		}
		var text bytes.Buffer
		if err := a.Write(&text, textWidth); err != nil {
			return nil, true, err
		}
		res, err := toResult(a, text.Bytes(), q.Version)
		return res, true, err
	}
	return nil, false, nil
}

// toResult returns an answer as BuildKit's own subrequests do.
func toResult(a any, text []byte, version string) (*client.Result, error) {
	data, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return nil, err
	}
	res := client.NewResult()
	res.AddMeta(gateway.ResultJSON, data)
	res.AddMeta(gateway.ResultText, text)
	res.AddMeta(gateway.ResultVersion, []byte(version))
	return res, nil
}

// describe adds the questions to BuildKit's list of subrequests.
func describe(res *client.Result) (*client.Result, error) {
	var list []subrequests.Request
	if err := json.Unmarshal(res.Metadata[gateway.ResultJSON], &list); err != nil {
		return nil, fmt.Errorf("reading the list of subrequests: %w", err)
	}
	for _, q := range questions() {
		list = append(list, q.Request)
	}
	data, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := subrequests.PrintDescribe(data, &text); err != nil {
		return nil, err
	}
	return toResult(list, text.Bytes(), string(res.Metadata[gateway.ResultVersion]))
}

func (r *request) explain(file *syntax.File) (answer, error) {
	graphs, err := r.graphs(file)
	return &graph.Explanation{Explanations: graphs}, err
}

func (r *request) graph(file *syntax.File) (answer, error) {
	graphs, err := r.graphs(file)
	if err != nil {
		return nil, err
	}
	return graph.Merge(graphs...).Reached(), nil
}

// matrix answers about the target, or else about all stages. A target that cannot be
// built for a platform is an error when both were asked for.
func (r *request) matrix(file *syntax.File) (answer, error) {
	var stages []string
	if r.Target != "" {
		stages = []string{r.Target}
	}
	m, err := matrix.Of(file, r.env(), stages, r.questioned(file))
	switch {
	case err != nil:
		return nil, err
	case r.Target != "" && len(r.asked) > 0 && len(m.Impossible) > 0:
		_, err = plan.Resolve(file, r.env(), plan.Request{Stage: r.Target, Platforms: r.asked})
	case len(m.Stages) == 0:
		err = matrix.Nothing(m.Notes())
	}
	return table{m}, err
}

// table is a matrix as an answer: its lines are short by themselves.
type table struct{ *matrix.Matrix }

// Write implements answer. It says what is left out, as the command does beside its
// output.
func (t table) Write(w io.Writer, _ int) error {
	err := t.WriteTable(w)
	for _, note := range t.Notes() {
		if _, failed := fmt.Fprintf(w, "Note: %s\n", note); err == nil {
			err = failed
		}
	}
	return err
}

// questioned are the platforms that a question is about: those that are asked for, or
// else those that the file declares, or the builder's.
func (r *request) questioned(file *syntax.File) []ocispecs.Platform {
	switch {
	case len(r.asked) > 0:
		return r.asked
	case len(file.Platforms) > 0:
		return file.Platforms
	}
	return []ocispecs.Platform{r.env().Build}
}

// graphs returns the graph of the target for each platform in question. One that was
// not asked for is left out where the target cannot be built for it.
func (r *request) graphs(file *syntax.File) ([]*graph.Graph, error) {
	if r.Target != "" && file.Group(r.Target) == nil {
		return nil, file.NoStageError(r.Target)
	}
	set, err := r.questionedSet(file)
	if err != nil {
		return nil, err
	}
	var graphs []*graph.Graph
	for _, t := range set.Targets {
		graphs = append(graphs, graph.Of(t))
	}
	return graphs, nil
}

// questionedSet resolves the target for the platforms in question.
func (r *request) questionedSet(file *syntax.File) (*plan.Set, error) {
	if len(r.asked) > 0 {
		return plan.Resolve(file, r.env(), plan.Request{Stage: r.Target, Platforms: r.asked})
	}
	return plan.ResolvePossible(file, r.env(), plan.Request{Stage: r.Target, Platforms: r.questioned(file)})
}
