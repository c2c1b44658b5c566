package pipeline

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

// Steps counts the completed steps of a target.
type Steps struct {
	mu     sync.Mutex
	cached map[digest.Digest]bool // whether each step was cached
}

// count counts v if it is a completed step.
func (s *Steps) count(v *client.Vertex) {
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
func (s *Steps) String() string {
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

// stepWriter is the progress writer of a call for several targets. buildx adds the name of
// the target to each name: "[api linux/amd64 app 2/3] RUN …", "[api] exporting to image".
// stepWriter removes it from names in brackets, which already have a stage, and counts the
// steps of each target.
type stepWriter struct {
	progress.Writer
	targets []*Target
}

// stepWriter returns the progress writer of a call.
func (r *run) stepWriter(targets []*Target) progress.Writer {
	if len(targets) > 1 {
		return &stepWriter{Writer: r.Printer, targets: targets}
	}
	if targets[0].Name == "" {
		return r.Printer
	}
	// buildx adds no name in a call for one of several targets.
	return progress.WithPrefix(&stepWriter{Writer: r.Printer, targets: targets}, targets[0].Name, true)
}

// Write implements progress.Writer.
func (w *stepWriter) Write(status *client.SolveStatus) {
	for _, v := range status.Vertexes {
		for _, t := range w.targets {
			if name, ok := strings.CutPrefix(v.Name, "["+t.Name+" "); ok {
				v.Name = "[" + name
				t.steps.count(v)
				break
			}
		}
		if v.ProgressGroup != nil {
			v.ProgressGroup.Name = w.withoutTarget(v.ProgressGroup.Name)
		}
	}
	w.Writer.Write(status)
}

// withoutTarget removes the name of a target from the name of a progress group.
func (w *stepWriter) withoutTarget(group string) string {
	for _, t := range w.targets {
		if name, ok := strings.CutPrefix(group, "["+t.Name+"] "); ok {
			return name
		}
		if name, ok := strings.CutPrefix(group, "["+t.Name+" "); ok {
			return "[" + name
		}
	}
	return group
}
