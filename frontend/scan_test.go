package frontend_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/pb"
	"google.golang.org/protobuf/proto"

	"github.com/stagebuild/stagebuild/frontend"
)

// scannedFile has variants, unnamed stages and cross-platform inputs.
const scannedFile = `ARG BUILDKIT_SBOM_SCAN_STAGE=true
FROM --for=windows scratch
FROM --for=linux/arm64 scratch AS base
ARG BUILDKIT_SBOM_SCAN_STAGE
COPY arm /x
FROM scratch AS base
COPY other /x
FROM scratch AS empty
ARG BUILDKIT_SBOM_SCAN_STAGE
FROM scratch
COPY --from=base /x /y
COPY --from=base::linux/arm64 /x /z
COPY --from=empty::linux/arm64 / /
`

// TestScansNameSteps checks that the steps of a build have the same names in the
// definition of its scan. Progress shows the names of the definition that it gets first.
func TestScansNameSteps(t *testing.T) {
	g, got := build(t, frontend.Build, []byte(scannedFile), map[string]string{
		"platform": "linux/amd64", "attest:sbom": "generator=docker/scanner",
	})
	if got.Error != "" || len(g.definitions) != 2 {
		t.Fatalf("%d definitions, error: %s", len(g.definitions), got.Error)
	}
	built, scanned := g.names(t, 0), g.names(t, 1)
	for digest, name := range built {
		if scanned[digest] != name {
			t.Errorf("step %q is named %q in the scan", name, scanned[digest])
		}
	}
	if !slices.ContainsFunc(slices.Collect(maps.Values(scanned)), func(name string) bool {
		return strings.HasPrefix(name, "[linux/arm64 base (line 3) ")
	}) {
		t.Errorf("no step is named after the variant: %q", scanned)
	}
}

// names returns the names of the steps of the i-th solved definition, by digest.
func (g *gateway) names(t *testing.T, i int) map[string]string {
	t.Helper()
	var def pb.Definition
	if err := proto.Unmarshal([]byte(g.definitions[i]), &def); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for digest, meta := range def.Metadata {
		if name := meta.Description["llb.customname"]; name != "" {
			names[digest] = name
		}
	}
	return names
}
