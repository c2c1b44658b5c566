package inspect

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/draw"
)

// The limits of a page: of its views, one for each combination of choices, and of the nodes in
// all views. They keep the page of a large Dockerfile quick to open.
const (
	maxViews     = 96
	maxViewNodes = 2000
)

// argChoice is a build arg that the reader of a page can set.
type argChoice struct {
	name    string
	current string   // the label of its value in the query
	others  []string // the other values
}

// newPage returns the page for a query. It resolves the query for each combination of platforms
// and values of the build args that conditions use. graphs and notes are those of the query.
func newPage(q *cli.Query, options graphOptions, graphs []*graph.Graph, notes []string) *draw.Page {
	drawing := options.drawn(graphs)
	page := &draw.Page{File: drawing.File, Source: string(q.File.Source.Data)}
	platforms := draw.Choice{Key: "platform", Name: "Platform", Values: slices.Clone(drawing.Platforms)}
	if len(platforms.Values) > 1 {
		platforms.Values = append([]string{"all"}, platforms.Values...)
	}
	args, left := bounded(argChoices(q, drawing), len(platforms.Values), len(drawing.Nodes))
	page.Note = left
	for _, arg := range args {
		page.Choices = append(page.Choices, draw.Choice{Key: "arg." + arg.name, Name: arg.name, Values: append([]string{arg.current}, arg.others...)})
	}
	page.Choices = append(page.Choices, platforms)
	combos := combinations(args)
	found := make([][]draw.View, len(combos))
	var resolving sync.WaitGroup
	for i, values := range combos {
		resolving.Go(func() {
			if i == 0 { // the values of the query itself
				found[i] = viewsOf(q, options, platforms.Values, graphs, notes, nil)
				return
			}
			other := q.WithArgs(values)
			graphs, notes, err := other.Graphs(options.Stages.Patterns)
			found[i] = viewsOf(other, options, platforms.Values, graphs, notes, err)
		})
	}
	resolving.Wait()
	page.Views = slices.Concat(found...)
	return page
}

// viewsOf returns the views of a resolved query, one for each platform or "all".
func viewsOf(q *cli.Query, options graphOptions, platforms []string, graphs []*graph.Graph, notes []string, err error) []draw.View {
	var list []draw.View
	for _, platform := range platforms {
		switch {
		case platform == "all":
			list = append(list, viewOf(options, graphs, notes, err))
		case err != nil: // the error can be that of another platform
			graphs, notes, err := q.ForPlatform(platform).Graphs(options.Stages.Patterns)
			list = append(list, viewOf(options, graphs, notes, err))
		default:
			some := slices.DeleteFunc(slices.Clone(graphs), func(g *graph.Graph) bool { return !slices.Contains(g.Platforms, platform) })
			list = append(list, viewOf(options, some, notes, nil))
		}
	}
	return list
}

// viewOf returns the view of graphs, or of err.
func viewOf(options graphOptions, graphs []*graph.Graph, notes []string, err error) draw.View {
	switch {
	case err != nil:
		return draw.View{Error: err.Error()}
	case len(graphs) == 0:
		return draw.View{Error: strings.Join(notes, "\n")}
	}
	drawing := options.drawn(graphs)
	var text bytes.Buffer
	_ = options.writeTree(&text, cli.NarrowWidth, drawing) // writing to a Buffer does not fail
	return draw.View{Graph: drawing, Text: text.String()}
}

// automaticArg matches the args that BuildKit sets for a platform. A page has a choice of the
// platform instead.
var automaticArg = regexp.MustCompile(`^((TARGET|BUILD)(PLATFORM|OS|OSVERSION|ARCH|VARIANT)|TARGETSTAGE)$`)

// argChoices returns the choices of the build args that conditions use, sorted by name.
func argChoices(q *cli.Query, drawing *graph.Graph) []argChoice {
	literals := map[string][]string{}
	for _, in := range q.File.Instructions {
		if in.Guard.If == nil {
			continue
		}
		found := in.Guard.If.Literals()
		for _, name := range in.Guard.If.Names() {
			literals[name] = append(literals[name], found[name]...)
		}
	}
	var choices []argChoice
	for _, name := range slices.Sorted(maps.Keys(literals)) {
		if automaticArg.MatchString(name) {
			continue
		}
		values := slices.Sorted(slices.Values(literals[name]))
		value, known, words := currentValue(q, drawing, name)
		others := slices.DeleteFunc(slices.Compact(values), func(v string) bool { return known && v == value })
		if len(others) > 0 {
			choices = append(choices, argChoice{name: name, current: words, others: others})
		}
	}
	return choices
}

// currentValue returns the value of an arg in the query, whether it is the same for all
// platforms and stages, and its label in the page.
func currentValue(q *cli.Query, drawing *graph.Graph, name string) (value string, known bool, words string) {
	if given, ok := q.Env.Args[name]; ok {
		return given, true, given + " (given)"
	}
	value, known = defaultOf(q.File, drawing, name)
	switch {
	case !known:
		words = "(default)"
	case value == "":
		words = "empty (default)"
	default:
		words = value + " (default)"
	}
	return value, known, words
}

// defaultOf returns the default value of an arg, and whether it is the only default.
func defaultOf(file *syntax.File, drawing *graph.Graph, name string) (string, bool) {
	for _, arg := range drawing.Args {
		if arg.Name == name {
			values := slices.Compact(slices.Sorted(maps.Values(arg.Values)))
			return values[0], len(values) == 1
		}
	}
	// Only stages declare it.
	var values []string
	for _, in := range file.Instructions {
		for _, d := range in.Declarations {
			if d.Name == name {
				values = append(values, d.Value)
			}
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	if len(values) == 0 {
		return "", false
	}
	return values[0], len(values) == 1 && !strings.Contains(values[0], "$")
}

// bounded removes values from args until the page is within its limits. left describes the
// removed values.
func bounded(args []argChoice, platforms, nodes int) (within []argChoice, left string) {
	limit := max(min(maxViews, maxViewNodes/max(nodes, 1)), platforms)
	cut := map[string][]string{}
	for {
		count, largest := platforms, -1
		for i, arg := range args {
			count *= 1 + len(arg.others)
			if largest < 0 || len(arg.others) >= len(args[largest].others) {
				largest = i
			}
		}
		if count <= limit {
			break
		}
		others := args[largest].others
		name := args[largest].name
		cut[name] = append(cut[name], others[len(others)-1])
		args[largest].others = others[:len(others)-1]
	}
	within = slices.DeleteFunc(args, func(a argChoice) bool { return len(a.others) == 0 })
	if len(cut) == 0 {
		return within, ""
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(cut)) {
		slices.Sort(cut[name])
		parts = append(parts, fmt.Sprintf("%s=%s", name, strings.Join(cut[name], "|")))
	}
	return within, fmt.Sprintf("This page holds at most %d combinations. Left out: %s. Draw them with --build-arg.", limit, strings.Join(parts, ", "))
}

// combinations returns all combinations of values, with the last arg varying fastest. An arg
// that is missing from a combination keeps its current value.
func combinations(args []argChoice) []map[string]string {
	list := []map[string]string{{}}
	for _, arg := range args {
		var longer []map[string]string
		for _, values := range list {
			longer = append(longer, values)
			for _, other := range arg.others {
				with := maps.Clone(values)
				with[arg.name] = other
				longer = append(longer, with)
			}
		}
		list = longer
	}
	return list
}
