package testkit

import (
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
)

// scannerScript is an SBOM generator for BuildKit (docs/attestations/sbom-protocol.md in
// its repository). For each file system it writes an SPDX document that lists the files
// with their hashes.
const scannerScript = `set -eu
scan() {
	name=${1##*/}
	cd "$1"
	{
		echo '{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","predicate":{'
		echo '"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","dataLicense":"CC0-1.0","name":"'"$name"'",'
		echo '"documentNamespace":"https://example.com/'"$name"'","comment":"'"${BUILDKIT_SCAN_COMMENT-}"'",'
		echo '"creationInfo":{"created":"1970-01-01T00:00:00Z","creators":["Tool: test"]},"files":['
		between=
		find . -type f | sort | while read -r file; do
			hash=$(sha256sum "$file")
			hash=${hash%% *}
			echo "$between"'{"SPDXID":"SPDXRef-'"$hash"'","fileName":"'"$file"'","checksums":[{"algorithm":"SHA256","checksumValue":"'"$hash"'"}]}'
			between=,
		done
		echo ']}}'
	} > "$BUILDKIT_SCAN_DESTINATION/$name.spdx.json"
}
scan "$BUILDKIT_SCAN_SOURCE"
for extra in "${BUILDKIT_SCAN_SOURCE_EXTRAS:-/nowhere}"/*; do
	if [ -d "$extra" ]; then scan "$extra"; fi
done
`

// PushScanner builds the generator's image for the build platform and returns its
// reference.
func PushScanner(t *testing.T, env *harness.Env) string {
	t.Helper()
	ref := env.Registry.Ref("sbom/scanner:1")
	dir := WriteContext(t, map[string]string{
		"scan":       scannerScript,
		"Dockerfile": "FROM busybox\nCOPY scan /scan\nENTRYPOINT [\"sh\", \"/scan\"]\n",
	})
	if err := Run(t, env, []string{"docker-buildx", "build", "--provenance=false", "--push", "--tag=" + ref, dir}); err != nil {
		t.Fatal(err)
	}
	return ref
}
