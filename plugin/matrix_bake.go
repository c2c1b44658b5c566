package plugin

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"strings"

	"github.com/docker/buildx/util/buildflags"
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

// bakeDefault is the target or group that bake builds when none is named.
const bakeDefault = "default"

// printBake prints a bake file with a target for each result, all of which are built by
// default.
func (o *matrixOptions) printBake(out io.Writer, q *question, results []*result) error {
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
		if _, err := imageName(j.options.tags); err != nil {
			return err
		}
		t := *common
		t.Target = j.options.target
		t.Platforms = strings.Split(j.platformList(), ",")
		t.Tags = literals(j.options.tags)
		t.CacheFrom, t.CacheTo = literals(j.options.cacheFrom), literals(j.options.cacheTo)
		file.Target[j.id] = t
	}
	if file.Group != nil {
		file.Group[bakeDefault] = bakeGroup{Targets: names}
	}
	return printJSON(out, file)
}

// bakeTarget is what all targets share. Its paths are relative to the folder that bake
// runs in, which is this one, but for that of the Dockerfile, which is relative to the
// context.
func (o *matrixOptions) bakeTarget(q *question) (*bakeTarget, error) {
	t := &bakeTarget{Context: literal(o.contextPath), Args: maps.Clone(q.env.Args)}
	for name, value := range t.Args {
		t.Args[name] = literal(value)
	}
	contexts, err := buildflags.ParseContextNames(o.contexts)
	if err != nil {
		return nil, fmt.Errorf("--build-context: %w", err)
	}
	for name, value := range contexts {
		contexts[name] = literal(value)
	}
	t.Contexts = contexts
	if o.file == "-" {
		t.DockerfileInline = literal(string(q.file.Source.Data))
		return t, nil
	}
	context, file := absolute(o.contextPath), absolute(q.file.Source.Name)
	name, err := filepath.Rel(context, file)
	if err != nil {
		name = file // on another drive
	}
	t.Dockerfile = literal(filepath.ToSlash(name))
	return t, nil
}

// bakeEscapes escapes what begins something in strings of a bake file: an expression
// or a directive.
var bakeEscapes = strings.NewReplacer("${", "$${", "%{", "%%{")

// literal is text that bake reads as it is.
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
