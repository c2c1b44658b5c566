package inspect

import (
	"github.com/stagebuild/stagebuild/plugin/cli"

	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/frontend/syntax"
	"github.com/stagebuild/stagebuild/plugin/draw"
)

// The bounds of a page: how many combinations it holds at most, and how many nodes
// these have together, so that the page of a large file is one that a browser opens at once.
const (
	maxViews     = 96
	maxViewNodes = 2000
)

// argChoice is a build arg of a page: the value that it has, and others.
type argChoice struct {
	name    string
	current string // as the reader sees it
	others  []string
}

// newPage resolves the question for each combination of a platform and values of
// the args that conditions ask for. What it has found for the values that there are is
// given.
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
	ways := combinations(args)
	found := make([][]draw.View, len(ways))
	var resolving sync.WaitGroup
	for i, values := range ways {
		resolving.Go(func() {
			if i == 0 { // no value is another
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

// viewsOf returns what there is to see of the answer to a question, for each platform or
// "all".
func viewsOf(q *cli.Query, options graphOptions, platforms []string, graphs []*graph.Graph, notes []string, err error) []draw.View {
	var list []draw.View
	for _, platform := range platforms {
		switch {
		case platform == "all":
			list = append(list, viewOf(options, graphs, notes, err))
		case err != nil: // which may be about another platform
			graphs, notes, err := q.ForPlatform(platform).Graphs(options.Stages.Patterns)
			list = append(list, viewOf(options, graphs, notes, err))
		default:
			some := slices.DeleteFunc(slices.Clone(graphs), func(g *graph.Graph) bool { return !slices.Contains(g.Platforms, platform) })
			list = append(list, viewOf(options, some, notes, nil))
		}
	}
	return list
}

// viewOf returns what there is to see of an answer.
func viewOf(options graphOptions, graphs []*graph.Graph, notes []string, err error) draw.View {
	switch {
	case err != nil:
		return draw.View{Problem: err.Error()}
	case len(graphs) == 0:
		return draw.View{Problem: strings.Join(notes, "\n")}
	}
	drawing := options.drawn(graphs)
	var text bytes.Buffer
	_ = options.writeTree(&text, cli.NarrowWidth, drawing) // a Buffer takes everything
	return draw.View{Graph: drawing, Text: text.String()}
}

// automaticArg matches the args that a platform gives (language.md, section 2): the
// page has the platform for them.
var automaticArg = regexp.MustCompile(`^((TARGET|BUILD)(PLATFORM|OS|OSVERSION|ARCH|VARIANT)|TARGETSTAGE)$`)

// argChoices returns the args that conditions of the file ask for, by name.
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

// currentValue returns the value that an arg has without a choice, whether it is one
// for all platforms and stages, and how the page shows it.
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

// defaultOf returns the default of an arg, and whether it is the only one.
func defaultOf(file *syntax.File, drawing *graph.Graph, name string) (string, bool) {
	for _, arg := range drawing.Args {
		if arg.Name == name {
			values := slices.Compact(slices.Sorted(maps.Values(arg.Values)))
			return values[0], len(values) == 1
		}
	}
	// One that only stages have.
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

// bounded takes values from args until a page of them is within its bounds, and says
// what was left out.
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

// combinations returns all ways of choosing values, those of the last arg alternating
// fastest. What has no value there keeps its own.
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
