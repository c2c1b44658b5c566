package language

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestEpochOfAStage sets SOURCE_DATE_EPOCH to a stage whose time is that of a file from
// the web, beside cross-platform references and triggers.
func TestEpochOfAStage(t *testing.T) {
	modified := time.Unix(1700000000, 0).UTC()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "source", modified, bytes.NewReader([]byte("source")))
	}))
	t.Cleanup(web.Close)
	src := "FROM scratch AS src\nADD " + web.URL + "/source /\n"
	for name, dockerfile := range map[string]string{
		"platforms": "FROM scratch AS made\nWORKDIR /made\n" +
			"FROM scratch AS app\nCOPY --from=busybox::linux/arm64 /bin/busybox /x\nCOPY --from=made::linux/arm64 /made /made\n" + src,
		"triggers": src + "FROM --for=linux busybox AS tools\n" +
			"FROM scratch AS base\nONBUILD COPY --from=tools /bin/busybox /x\nFROM base AS app\n",
	} {
		t.Run(name, func(t *testing.T) {
			res := testkit.BuildWithEveryClient(t, &suite, "epoch/"+name, testkit.Request{
				Dockerfile: dockerfile, Target: "app", Platforms: testkit.BothPlatforms(), Args: map[string]string{"SOURCE_DATE_EPOCH": "src"},
			})
			for _, img := range res.Images {
				if got := img.Config.Created.Time; !got.Equal(modified) {
					t.Errorf("%s: the image was created at %v, want %v", img.Platform, got, modified)
				}
			}
		})
	}
}
