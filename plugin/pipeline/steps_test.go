package pipeline

import (
	"testing"
	"time"

	"github.com/docker/buildx/util/progress"
	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

// names records the names of vertices and of their progress groups.
type names struct {
	progress.Writer
	list []string
}

func (n *names) Write(status *client.SolveStatus) {
	for _, v := range status.Vertexes {
		n.list = append(n.list, v.Name, v.ProgressGroup.GetName())
	}
}

// TestStepWriter writes the steps of two targets through buildx's prefixes.
func TestStepWriter(t *testing.T) {
	api := &Target{Name: "api"}
	arm := &Target{Name: "worker linux/arm64"}
	out := &names{}
	w := &stepWriter{Writer: out, targets: []*Target{api, arm}}
	now := time.Now()
	for _, step := range []struct {
		target             *Target
		name, group, error string
		cached             bool
	}{
		{target: api, name: "[internal] load build definition from Dockerfile"},
		{target: api, name: "[linux/amd64 api 1/2] RUN x", group: "[linux/amd64 api 1/2] RUN x"},
		{target: api, name: "[api 2/2] RUN y", cached: true},
		{target: arm, name: "[api 2/2] RUN y"},
		{target: arm, name: "[worker 2/2] RUN z", error: "exit code 1"},
		{target: arm, name: "exporting to image", group: "exporting"},
	} {
		v := &client.Vertex{Digest: digest.FromString(step.name), Name: step.name, Completed: &now, Cached: step.cached, Error: step.error}
		if step.group != "" {
			v.ProgressGroup = &pb.ProgressGroup{Name: step.group}
		}
		progress.WithPrefix(w, step.target.Name, true).Write(&client.SolveStatus{Vertexes: []*client.Vertex{v}})
	}
	// buildx writes a step of its own without a prefix.
	w.Write(&client.SolveStatus{Vertexes: []*client.Vertex{{Name: "[auth] library/busybox:pull token"}}})

	want := []string{
		"[internal] load build definition from Dockerfile", "",
		"[linux/amd64 api 1/2] RUN x", "[linux/amd64 api 1/2] RUN x",
		"[api 2/2] RUN y", "",
		"[api 2/2] RUN y", "",
		"[worker 2/2] RUN z", "",
		"[worker linux/arm64] exporting to image", "exporting",
		"[auth] library/busybox:pull token", "",
	}
	if diff := cmp.Diff(want, out.list); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if got := api.steps.String(); got != "2 (1 cached)" {
		t.Errorf("api has the steps %s", got)
	}
	if got := arm.steps.String(); got != "1" {
		t.Errorf("worker has the steps %s", got)
	}
}
