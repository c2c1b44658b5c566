package offline_test

import (
	"strings"
	"testing"

	"github.com/containerd/platforms"

	"github.com/stagebuild/stagebuild/frontend"
	"github.com/stagebuild/stagebuild/plugin/offline"
)

// TestEpochStages checks files that take SOURCE_DATE_EPOCH from a stage with a remote
// source. The check must not fetch the source, and must report the other warnings.
func TestEpochStages(t *testing.T) {
	for _, source := range []string{"https://example.com/x", "https://example.com/x.git#v1"} {
		for _, guard := range []string{"", " --for=linux"} {
			t.Run(source+guard, func(t *testing.T) {
				res, err := frontend.Build(t.Context(), &offline.Client{
					Name: "Dockerfile", Platform: platforms.MustParse("linux/amd64"),
					Options: map[string]string{"requestid": "frontend.lint", "frontend.caps": "moby.buildkit.frontend.subrequests"},
					Dockerfile: []byte("ARG SOURCE_DATE_EPOCH=c\nFROM scratch AS c\nADD " + source + " /x\n" +
						"FROM scratch AS d\nCOPY" + guard + " --from=c / /\nMAINTAINER x\n"),
				})
				if err != nil {
					t.Fatal(err)
				}
				if got := string(res.Metadata["result.txt"]); !strings.Contains(got, "MaintainerDeprecated") || strings.Contains(got, "ERROR") {
					t.Errorf("result.txt:\n%s", got)
				}
			})
		}
	}
}
