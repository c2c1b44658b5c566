package matrix

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/stagebuild/stagebuild/frontend/selection"
	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/result"
)

// matrixOptions are the flags of the matrix command, as the user wrote them.
type matrixOptions struct {
	cli.QueryOptions
	format    string
	native    bool
	merge     bool
	runners   runnersValue
	tags      []string
	cacheFrom []string
	cacheTo   []string
}

// matrixFormats returns the values of --format.
func matrixFormats() []cobra.Completion {
	return []cobra.Completion{
		cobra.CompletionWithDesc("table", "for people"),
		cobra.CompletionWithDesc("json", "for programs"),
		cobra.CompletionWithDesc("bake", "a file for docker buildx bake"),
		cobra.CompletionWithDesc("github", "a job matrix for GitHub Actions"),
	}
}

// NewCommand returns the matrix command.
func NewCommand(dockerCLI command.Cli) *cobra.Command {
	var options matrixOptions
	cmd := &cobra.Command{
		Use:   "matrix [OPTIONS] [PATH | -]",
		Short: "List every stage and platform pair",
		Long: `List every stage and platform pair, or write them as a bake file or as a job
matrix for GitHub Actions. No builder is needed.`,
		Example: `  # List every stage with its platforms
  docker stagebuild matrix

  # Build two stages with bake
  docker stagebuild matrix --stage api,worker --format bake \
    --tag 'registry.example.com/{{.Stage}}' | docker buildx bake -f - --push

  # Print jobs for GitHub Actions, one for each stage and platform
  docker stagebuild matrix --format github --native

  # Print the commands that merge the images that these jobs push
  docker stagebuild matrix --merge --tag 'registry.example.com/{{.Stage}}'`,
		Args:                  cli.OptionalPath(),
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     cli.CompletePath,
		RunE: func(cmd *cobra.Command, args []string) error {
			options.SetPath(args)
			if err := options.check(); err != nil {
				return cli.NewUsageError(cmd, err)
			}
			q, err := options.Query(cmd, dockerCLI.In(), os.LookupEnv)
			if err != nil {
				return err
			}
			return options.run(dockerCLI.Out(), dockerCLI.Err(), q)
		},
	}
	options.addFlags(cmd)
	return cmd
}

func (o *matrixOptions) addFlags(cmd *cobra.Command) {
	o.QueryOptions.AddFlags(cmd, "all")
	flags := cmd.Flags()
	flags.StringVar(&o.format, "format", "table", `Format of the output ("table", "json", "bake", "github")`)
	flags.BoolVar(&o.native, "native", false, "Print one job for each stage and platform, on a runner of that platform if GitHub has one")
	flags.Var(&o.runners, "runner", `Use another runner than GitHub's for a platform (format: "PLATFORM=LABEL")`)
	flags.BoolVar(&o.merge, "merge", false, "Print a command for each stage that merges its images for single platforms into one image")
	flags.StringArrayVarP(&o.tags, "tag", "t", nil, `Image identifier, for "bake", "github" and --merge (e.g., "user/{{.Stage}}:1.2")`)
	flags.StringArrayVar(&o.cacheFrom, "cache-from", nil, `External cache sources, for "bake" (can use {{.Stage}} and {{.Platform}})`)
	flags.StringArrayVar(&o.cacheTo, "cache-to", nil, `Cache export destinations, for "bake" (can use {{.Stage}} and {{.Platform}})`)
	cli.CompleteFlag(cmd, "format", cobra.FixedCompletions(matrixFormats(), cobra.ShellCompDirectiveNoFileComp))
	cli.CompleteFlag(cmd, "runner", completeRunner)
}

// check returns an error for flags that cannot be used together.
func (o *matrixOptions) check() error {
	formats := []string{"table", "json", "bake", "github"}
	bake, github := o.format == "bake", o.format == "github"
	caches := slices.Concat(o.cacheFrom, o.cacheTo)
	switch {
	case !slices.Contains(formats, o.format):
		return fmt.Errorf(`invalid --format=%s: use "%s"`, o.format, strings.Join(formats, `", "`))
	case o.native && o.format != "table" && !github:
		return fmt.Errorf("--native cannot be used with --format=%s; use table or github", o.format)
	case o.merge && o.format != "table" && !github:
		return fmt.Errorf("--merge cannot be used with --format=%s; use table or github", o.format)
	case o.merge && len(o.tags) == 0:
		return errors.New("--merge requires --tag with the names of the images")
	case len(o.runners.rules) > 0 && !o.native && !github:
		return errors.New("--runner requires --native or --format=github")
	case len(o.tags) > 0 && !bake && !github && !o.merge:
		return errors.New("--tag requires --merge, --format=bake or --format=github")
	case len(caches) > 0 && !bake:
		return errors.New("--cache-from and --cache-to require --format=bake")
	case bake && o.ContextPath == "-":
		return errors.New("--format=bake needs the directory of the build context as PATH; use -f - for a Dockerfile on standard input")
	}
	return nil
}

// run prints the requested matrix to out, and notes on omitted stages and platforms to log.
func (o *matrixOptions) run(out, log io.Writer, q *cli.Query) error {
	if len(o.Stages.Patterns) == 0 {
		o.Stages.Patterns = selection.Every(q.File)
	}
	chosen, err := q.Selected(o.Stages.Patterns)
	if err != nil {
		return err
	}
	if o.format != "json" {
		cli.PrintNotes(log, chosen.Notes)
	}
	if o.format == "json" || o.format == "table" && !o.native && !o.merge {
		m := chosen.Matrix(q.File)
		if o.format == "json" {
			return cli.PrintJSON(out, m)
		}
		return m.WriteTable(out)
	}
	results, err := o.results(q, chosen.Results)
	if err != nil {
		return err
	}
	switch {
	case o.merge:
		return o.printMerge(out, results)
	case o.format == "bake":
		return o.printBake(out, q, results)
	case o.format == "github":
		return o.printJobs(out, log, results)
	}
	return o.printNative(out, results)
}

// results returns the results that a build of the stages has.
func (o *matrixOptions) results(q *cli.Query, selected []selection.Result) ([]*result.Result, error) {
	flags := result.Flags{Tags: o.tags, CacheFrom: o.cacheFrom, CacheTo: o.cacheTo}
	results, err := result.Split(q.File, q.Env, flags, selected)
	if err != nil {
		return nil, err
	}
	var places []result.Use
	for _, r := range results {
		_, cacheTo, err := r.Flags.ParseCaches()
		if err != nil {
			return nil, err
		}
		places = append(places, r.Places(nil, cacheTo)...)
	}
	return results, result.CheckPlaces(places)
}
