package inspect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend/graph"
	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/draw"
)

// graphOptions are the flags of the graph command, as the user wrote them.
type graphOptions struct {
	cli.QueryOptions
	format graphFormat
	output string
	all    bool
}

// graphFormat is the value of --format of the graph command.
type graphFormat string

// graphForm describes a format: its name, the file extensions that select it, and its use.
type graphForm struct {
	name  graphFormat
	exts  []string
	about string
}

// graphForms returns all formats, the default first.
func graphForms() []graphForm {
	return []graphForm{
		{"tree", []string{".txt"}, "lines of text"},
		{"dot", []string{".dot", ".gv"}, "for Graphviz"},
		{"mermaid", []string{".mmd", ".mermaid"}, "for Markdown"},
		{"json", []string{".json"}, "for programs"},
		{"svg", []string{".svg"}, "a picture"},
		{"html", []string{".html", ".htm"}, "an interactive page"},
	}
}

// String returns the format. It implements pflag.Value, as do Set and Type.
func (f *graphFormat) String() string { return string(*f) }

// Set sets a known format.
func (f *graphFormat) Set(s string) error {
	var names []string
	for _, form := range graphForms() {
		if s == string(form.name) {
			*f = form.name
			return nil
		}
		names = append(names, string(form.name))
	}
	return fmt.Errorf("must be one of %s", strings.Join(names, ", "))
}

// Type returns the name of the value in a usage line.
func (f *graphFormat) Type() string { return "string" }

// formatOf returns the format for the extension of an output file.
func formatOf(path string) (graphFormat, error) {
	ext := strings.ToLower(filepath.Ext(path))
	var all []string
	for _, form := range graphForms() {
		for _, e := range form.exts {
			if e == ext {
				return form.name, nil
			}
			all = append(all, e)
		}
	}
	return "", fmt.Errorf("--output=%s has no known extension (%s); add --format", path, strings.Join(all, ", "))
}

// NewGraphCommand returns the graph command.
func NewGraphCommand(dockerCLI command.Cli) *cobra.Command {
	var options graphOptions
	cmd := &cobra.Command{
		Use:   "graph [OPTIONS] [PATH | -]",
		Short: "Draw the graph of a Dockerfile's stages",
		Long: `Draw the graph of stages and images: their selected variants, and their FROM,
COPY --from, mount and --needs references. In a graph for several platforms,
parts that do not apply to all of them list their platforms. The picture (svg)
and the page (html) are self-contained files. In the page, readers can choose
the platform and the build args that conditions use. No builder is needed.`,
		Example: `  # Draw the default stage as a tree, for all declared platforms
  docker stagebuild graph

  # Write an interactive page, and a picture for one platform
  docker stagebuild graph -o stages.html
  docker stagebuild graph --platform linux/arm64 -o stages.svg

  # Draw all stages with Graphviz
  docker stagebuild graph --all --format dot | dot -Tpng > stages.png`,
		Args:                  cli.OptionalPath(),
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     cli.CompletePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := options.complete(cmd); err != nil {
				return cli.NewUsageError(cmd, err)
			}
			options.SetPath(args)
			q, err := options.Query(cmd, dockerCLI.In(), os.LookupEnv)
			if err != nil {
				return err
			}
			return runGraph(dockerCLI, options, q)
		},
	}
	options.AddFlags(cmd, "the last stage")
	flags := cmd.Flags()
	flags.Var(&options.format, "format", `Format of the drawing ("tree", "dot", "mermaid", "json", "svg", "html") (default: by the extension of --output, otherwise "tree")`)
	flags.StringVarP(&options.output, "output", "o", "", "Write to a file instead of standard output")
	flags.BoolVar(&options.all, "all", false, "Also show dropped and unreached stages")
	cli.CompleteFlag(cmd, "format", completeGraphFormats)
	cli.CompleteFlag(cmd, "output", cli.CompleteFiles)
	return cmd
}

func completeGraphFormats(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var list []cobra.Completion
	for _, form := range graphForms() {
		list = append(list, cobra.CompletionWithDesc(string(form.name), form.about))
	}
	return cli.FilterPrefix("", typed, list), cobra.ShellCompDirectiveNoFileComp
}

// complete sets the default format.
func (o *graphOptions) complete(cmd *cobra.Command) error {
	switch {
	case o.output == "" && cmd.Flag("output").Changed:
		return errors.New("--output is empty")
	case o.format != "":
		return nil
	case o.output == "" || o.output == "-":
		o.format = graphForms()[0].name
		return nil
	}
	var err error
	o.format, err = formatOf(o.output)
	return err
}

func runGraph(dockerCLI command.Cli, options graphOptions, q *cli.Query) error {
	graphs, notes, err := q.Graphs(options.Stages.Patterns)
	if err != nil {
		return err
	}
	cli.PrintNotes(dockerCLI.Err(), notes)
	var out bytes.Buffer
	if options.format == "html" {
		err = draw.HTML(&out, newPage(q, options, graphs, notes))
	} else {
		err = options.write(&out, cli.TextWidth(dockerCLI), options.drawn(graphs))
	}
	if err != nil {
		return err
	}
	return cli.WriteOutput(dockerCLI.Out(), options.output, out.Bytes())
}

// write writes a drawing in the chosen format, except for a page.
func (o *graphOptions) write(w io.Writer, width int, drawing *graph.Graph) error {
	switch o.format {
	case "dot":
		return draw.Dot(w, drawing)
	case "mermaid":
		return draw.Mermaid(w, drawing)
	case "json":
		return cli.PrintJSON(w, drawing)
	case "svg":
		return draw.SVG(w, drawing)
	}
	return o.writeTree(w, width, drawing)
}

func (o *graphOptions) writeTree(w io.Writer, width int, drawing *graph.Graph) error {
	if o.all {
		return drawing.WriteAll(w, width)
	}
	return drawing.Write(w, width)
}

// drawn returns the graph to draw for several platforms.
func (o *graphOptions) drawn(graphs []*graph.Graph) *graph.Graph {
	drawing := graph.Merge(graphs...)
	if !o.all {
		drawing = drawing.Reached()
	}
	return drawing
}
