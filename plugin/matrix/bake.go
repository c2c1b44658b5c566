package matrix

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"strings"

	"github.com/docker/buildx/util/buildflags"

	"github.com/stagebuild/stagebuild/plugin/cli"
	"github.com/stagebuild/stagebuild/plugin/result"
)

// bakeFile is a bake file: https://docs.docker.com/build/bake/reference/
type bakeFile struct {
	Group  map[string]bakeGroup  `json:"group,omitempty"`
	Target map[string]bakeTarget `json:"target"`
}

type bakeGroup struct {
	Targets []string `json:"targets"`
}

type bakeTarget struct {
	Context          string            `json:"context"`
	Dockerfile       string            `json:"dockerfile,omitempty"`
	DockerfileInline string            `json:"dockerfile-inline,omitempty"`
	Contexts         map[string]string `json:"contexts,omitempty"`
	Target           string            `json:"target,omitempty"`
	Platforms        []string          `json:"platforms"`
	Args             map[string]string `json:"args,omitempty"`
	Tags             []string          `json:"tags,omitempty"`
	CacheFrom        []string          `json:"cache-from,omitempty"`
	CacheTo          []string          `json:"cache-to,omitempty"`
}

// bakeDefault is the target or group that bake builds by default.
const bakeDefault = "default"

// printBake prints a bake file with one target for each result. By default, it builds all.
func (o *matrixOptions) printBake(out io.Writer, q *cli.Query, results []*result.Result) error {
	common, err := o.bakeTarget(q)
	if err != nil {
		return err
	}
	file := bakeFile{Target: map[string]bakeTarget{}}
	list := jobs(results, false)
	if len(list) > 1 || list[0].id != bakeDefault {
		// A group and a target cannot share a name.
		list = jobs(results, false, bakeDefault)
		file.Group = map[string]bakeGroup{}
	}
	var names []string
	for _, j := range list {
		names = append(names, j.id)
		if _, err := imageName(j.Flags.Tags); err != nil {
			return err
		}
		t := *common
		t.Target = j.Stage
		t.Platforms = strings.Split(j.platformList(), ",")
		t.Tags = literals(j.Flags.Tags)
		t.CacheFrom, t.CacheTo = literals(j.Flags.CacheFrom), literals(j.Flags.CacheTo)
		file.Target[j.id] = t
	}
	if file.Group != nil {
		file.Group[bakeDefault] = bakeGroup{Targets: names}
	}
	return cli.PrintJSON(out, file)
}

// bakeTarget returns the fields that all targets share. The path of the Dockerfile is relative
// to the build context. Other paths are relative to the directory that bake runs in, which is
// the current one.
func (o *matrixOptions) bakeTarget(q *cli.Query) (*bakeTarget, error) {
	t := &bakeTarget{Context: literal(o.ContextPath), Args: maps.Clone(q.Env.Args)}
	for name, value := range t.Args {
		t.Args[name] = literal(value)
	}
	contexts, err := buildflags.ParseContextNames(o.Contexts)
	if err != nil {
		return nil, fmt.Errorf("--build-context: %w", err)
	}
	for name, value := range contexts {
		contexts[name] = literal(value)
	}
	t.Contexts = contexts
	if o.File == "-" {
		t.DockerfileInline = literal(string(q.File.Source.Data))
		return t, nil
	}
	context, file := cli.AbsolutePath(o.ContextPath), cli.AbsolutePath(q.File.Source.Name)
	name, err := filepath.Rel(context, file)
	if err != nil {
		name = file // on another drive
	}
	t.Dockerfile = literal(filepath.ToSlash(name))
	return t, nil
}

// bakeEscapes escapes the start of a template expression or directive in a bake file.
var bakeEscapes = strings.NewReplacer("${", "$${", "%{", "%%{")

// literal escapes text, so that bake reads it unchanged.
func literal(text string) string {
	return bakeEscapes.Replace(text)
}

func literals(texts []string) []string {
	list := make([]string, len(texts))
	for i, text := range texts {
		list[i] = literal(text)
	}
	return list
}
