package llb

import (
	"testing"

	"github.com/moby/buildkit/solver/pb"
)

func TestNames(t *testing.T) {
	names := Names{
		Stages:     map[string]string{"base": "base:12", "stage-1": "stage-3", "stage-3": "stage-9"},
		References: map[string]string{"context.invalid/1": "tools::linux/arm64", "context.invalid/11": "tools::linux/arm"},
	}
	for name, want := range map[string]string{
		"[base 1/2] FROM x":                            "[base:12 1/2] FROM x",
		"[linux/amd64 base  9/10] RUN [base 1/2] x":    "[linux/amd64 base:12  9/10] RUN [base 1/2] x",
		"[linux/arm64->amd64 base 1/1] ONBUILD RUN x":  "[linux/arm64->amd64 base:12 1/1] ONBUILD RUN x",
		"[linux/arm/v7->arm/v6 base 1/1] RUN":          "[linux/arm/v7->arm/v6 base:12 1/1] RUN",
		"[stage-1 1/2] COPY . .":                       "[stage-3 1/2] COPY . .",
		"[other 1/2] RUN [base 1/2] x":                 "[other 1/2] RUN [base 1/2] x",
		"[base 1/1] COPY --from=context.invalid/1 a b": "[base:12 1/1] COPY --from=tools::linux/arm64 a b",
		"[other 1/1] FROM context.invalid/1":           "[other 1/1] FROM tools::linux/arm64",
		"[other 1/1] FROM context.invalid/11":          "[other 1/1] FROM tools::linux/arm",
		"[internal] load build context":                "[internal] load build context",
		"[linux/amd64 internal] load metadata for x/y": "[linux/amd64 internal] load metadata for x/y",
		"": "",
	} {
		before := map[string]string{customName: name}
		def := &pb.Definition{Metadata: map[string]*pb.OpMetadata{
			"x": {Description: before, ProgressGroup: &pb.ProgressGroup{Id: "g", Name: name}},
		}}
		names.apply(def)
		if got := def.Metadata["x"].Description[customName]; got != want {
			t.Errorf("%q became %q, want %q", name, got, want)
		}
		if got := def.Metadata["x"].ProgressGroup; got.Name != want || got.Id != "g" {
			t.Errorf("progress group %q became %v, want %q", name, got, want)
		}
		if before[customName] != name {
			t.Errorf("%q: the converter's own metadata was changed", name)
		}
	}
}
