package frontend_test

import (
	"strconv"
	"testing"

	"github.com/moby/buildkit/exporter/exptypes"

	"github.com/stagebuild/stagebuild/frontend"
)

// TestEpochOfAStage checks builds whose SOURCE_DATE_EPOCH names a stage. Stages that are
// built beside the target get the time of that stage too.
func TestEpochOfAStage(t *testing.T) {
	const src = "FROM scratch AS src\nADD https://example.com/x.tar /\n"
	arg := map[string]string{"build-arg:SOURCE_DATE_EPOCH": "src"}
	for _, tt := range []struct {
		name, dockerfile string
		opts             map[string]string
	}{
		{"an image for a platform", src + "FROM scratch\nCOPY --from=busybox::linux/arm64 /a /a\n", arg},
		{"a stage for a platform", src + "FROM scratch AS a\nWORKDIR /a\nFROM scratch\nCOPY --from=a::linux/arm64 /a /a\n", arg},
		{"a stage for a platform above it", "FROM scratch AS a\nWORKDIR /a\n" + src + "FROM scratch\nCOPY --from=a::linux/arm64 /a /a\n", arg},
		{"a stage for a platform, below the target", "FROM scratch AS a\nWORKDIR /a\nFROM scratch AS app\nCOPY --from=a::linux/arm64 /a /a\n" + src,
			map[string]string{"build-arg:SOURCE_DATE_EPOCH": "src", "target": "app"}},
		{"a needed stage", src + "FROM scratch AS a\nWORKDIR /a\nFROM --needs=a::linux/arm64 scratch\nCOPY a /a\n", arg},
		{"triggers", src + "FROM --for=linux scratch AS tools\nCOPY a /a\nFROM trigger\n", arg},
		{"triggers, and a default in the file", "ARG SOURCE_DATE_EPOCH=src\n" + src + "FROM --for=linux scratch AS tools\nCOPY a /a\nFROM trigger\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, got := build(t, frontend.Build, []byte(tt.dockerfile), tt.opts)
			if got.Error != "" {
				t.Fatal(got.Error)
			}
			if epoch, want := got.Metadata[exptypes.ExporterEpochKey], strconv.Itoa(lastModified); epoch != want {
				t.Errorf("the epoch of the result is %q, want %s", epoch, want)
			}
		})
	}
}
