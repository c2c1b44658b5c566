package build

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/docker/buildx/util/progress"
	"github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"
)

// stepName matches BuildKit's names of a stage's steps: "[linux/amd64 app 2/3] RUN …"
// (prefixCommand in dockerfile2llb/convert.go).
var stepName = regexp.MustCompile(`^\[.*\d+/\d+\] `)

// steps counts the completed steps of a result.
type steps struct {
	mu     sync.Mutex
	cached map[digest.Digest]bool // whether each step was cached
}

// count counts v if it is a completed step.
func (s *steps) count(v *client.Vertex) {
	if !stepName.MatchString(v.Name) || v.Completed == nil || v.Error != "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cached == nil {
		s.cached = map[digest.Digest]bool{}
	}
	s.cached[v.Digest] = v.Cached
}

// String returns "7 (3 cached)".
func (s *steps) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	cached := 0
	for _, c := range s.cached {
		if c {
			cached++
		}
	}
	if cached == 0 {
		return fmt.Sprint(len(s.cached))
	}
	return fmt.Sprintf("%d (%d cached)", len(s.cached), cached)
}

// stepWriter is the progress writer of a call for several results. buildx adds the name of
// the target to each name: "[api linux/amd64 app 2/3] RUN …", "[api] exporting to image".
// stepWriter removes it from names in brackets, which say where they belong, and counts
// the steps of each result.
type stepWriter struct {
	progress.Writer
	results []*resultBuild
}

// stepWriter returns the progress writer of a call.
func (p *pipeline) stepWriter(results []*resultBuild) progress.Writer {
	if len(results) > 1 {
		return &stepWriter{Writer: p.printer, results: results}
	}
	if results[0].Name == "" {
		return p.printer
	}
	// buildx adds no name in a call for one of several results.
	return progress.WithPrefix(&stepWriter{Writer: p.printer, results: results}, results[0].Name, true)
}

// Write implements progress.Writer.
func (w *stepWriter) Write(status *client.SolveStatus) {
	for _, v := range status.Vertexes {
		for _, res := range w.results {
			if name, ok := strings.CutPrefix(v.Name, "["+res.Name+" "); ok {
				v.Name = "[" + name
				res.steps.count(v)
				break
			}
		}
		if v.ProgressGroup != nil {
			v.ProgressGroup.Name = w.withoutTarget(v.ProgressGroup.Name)
		}
	}
	w.Writer.Write(status)
}

// withoutTarget removes the name of a target from that of a progress group.
func (w *stepWriter) withoutTarget(group string) string {
	for _, res := range w.results {
		if name, ok := strings.CutPrefix(group, "["+res.Name+"] "); ok {
			return name
		}
		if name, ok := strings.CutPrefix(group, "["+res.Name+" "); ok {
			return "[" + name
		}
	}
	return group
}
