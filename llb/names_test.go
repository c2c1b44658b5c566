package llb

import (
	"testing"

	"github.com/moby/buildkit/solver/pb"
)

func TestNames(t *testing.T) {
	names := Names{
		Stages:     map[string]string{"base": "base (line 12)", "stage-1": "stage-3", "stage-3": "stage-9"},
		References: map[string]string{"context.invalid/1": "tools::linux/arm64", "context.invalid/11": "tools::linux/arm"},
	}
	for name, want := range map[string]string{
		"[base 1/2] FROM x":                            "[base (line 12) 1/2] FROM x",
		"[linux/amd64 base  9/10] RUN [base 1/2] x":    "[linux/amd64 base (line 12)  9/10] RUN [base 1/2] x",
		"[linux/arm64->amd64 base 1/1] ONBUILD RUN x":  "[linux/arm64->amd64 base (line 12) 1/1] ONBUILD RUN x",
		"[linux/arm/v7->arm/v6 base 1/1] RUN":          "[linux/arm/v7->arm/v6 base (line 12) 1/1] RUN",
		"[stage-1 1/2] COPY . .":                       "[stage-3 1/2] COPY . .",
		"[other 1/2] RUN [base 1/2] x":                 "[other 1/2] RUN [base 1/2] x",
		"[base 1/1] COPY --from=context.invalid/1 a b": "[base (line 12) 1/1] COPY --from=tools::linux/arm64 a b",
		"[other 1/1] FROM context.invalid/1":           "[other 1/1] FROM tools::linux/arm64",
		"[other 1/1] FROM context.invalid/11":          "[other 1/1] FROM tools::linux/arm",
		"[internal] load build context":                "[internal] load build context",
		"[linux/amd64 internal] load metadata for x/y": "[linux/amd64 internal] load metadata for x/y",
		"": "",
	} {
		t.Run(name, func(t *testing.T) {
			before := map[string]string{customName: name}
			def := &pb.Definition{Metadata: map[string]*pb.OpMetadata{
				"x": {Description: before, ProgressGroup: &pb.ProgressGroup{Id: "g", Name: name}},
			}}
			names.apply(def)
			if got := def.Metadata["x"].Description[customName]; got != want {
				t.Errorf("the name became %q, want %q", got, want)
			}
			if got := def.Metadata["x"].ProgressGroup; got.Name != want || got.Id != "g" {
				t.Errorf("the progress group became %v, want %q", got, want)
			}
			if before[customName] != name {
				t.Error("the converter's own metadata was changed")
			}
		})
	}
}

// TestNamesOnce includes renamed steps of one conversion in another, where their names can
// be those of other stages.
func TestNamesOnce(t *testing.T) {
	inner := &pb.OpMetadata{
		Description:   map[string]string{customName: "[linux/arm64 stage-1 1/2] COPY --link"},
		ProgressGroup: &pb.ProgressGroup{Name: "[linux/arm64 stage-1 1/2] COPY --link"},
	}
	group := &pb.OpMetadata{ProgressGroup: &pb.ProgressGroup{Name: "[stage-1 2/2] COPY --link"}}
	Names{Stages: map[string]string{"stage-1": "stage-3"}}.apply(&pb.Definition{Metadata: map[string]*pb.OpMetadata{"x": inner, "y": group}})
	Names{Stages: map[string]string{"stage-3": "stage-9"}}.apply(&pb.Definition{Metadata: map[string]*pb.OpMetadata{"x": inner, "y": group}})
	const want = "[linux/arm64 stage-3 1/2] COPY --link"
	if got := inner.Description[customName]; got != want || inner.ProgressGroup.Name != want {
		t.Errorf("the step became %q in %q, want %q", got, inner.ProgressGroup.Name, want)
	}
	if got := group.ProgressGroup.Name; got != "[stage-3 2/2] COPY --link" {
		t.Errorf("the group became %q", got)
	}
}
