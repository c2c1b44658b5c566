package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/stagebuild/stagebuild/frontend/guard"
	"github.com/stagebuild/stagebuild/frontend/plan"
	"github.com/stagebuild/stagebuild/frontend/source"
	"github.com/stagebuild/stagebuild/frontend/syntax"
)

// TestResolvePossible leaves platforms out, and knows them still.
func TestResolvePossible(t *testing.T) {
	for _, test := range []struct {
		dockerfile, stage string
		want              string // the targets, and what was asked with what is unreached; or the error
	}{
		{"FROM a AS app\nFROM --for=linux/amd64 app AS bench\n", "", "linux/amd64; linux/amd64 0, linux/arm64 0"},
		{"FROM a AS app\nFROM --for=linux/arm64 app AS bench\n", "BENCH", "linux/arm64; linux/amd64 0, linux/arm64 0"},
		{"FROM a AS app\nFROM --for=linux/amd64 app AS bench\n", "app", "linux/amd64 linux/arm64; linux/amd64 0, linux/arm64 0"},
		{"FROM --for=linux/arm64 a AS tools\nFROM b\nCOPY --from=tools / /\n", "", "linux/arm64; linux/amd64 1, linux/arm64 0"},
		{"FROM --for=linux/s390x a AS app\n", "", `Dockerfile:1:1: stage "app" has no variant for linux/amd64:`},
		{"FROM a\nRUN --if='X' true\nFROM --for=linux/amd64 b\n", "", `Dockerfile:2:11: unknown name "X" in the condition`},
		{"FROM a\nRUN --if='X true\n", "", "Dockerfile:2:10: the quote in --if is not closed"},
	} {
		file, _ := syntax.Parse(source.NewFile("Dockerfile", []byte(test.dockerfile)))
		amd64, arm64 := platforms.MustParse("linux/amd64"), platforms.MustParse("linux/arm64")
		set, err := plan.ResolvePossible(file, plan.Env{Build: amd64}, plan.Request{Stage: test.stage, Platforms: []guard.Platform{amd64, arm64}})
		got := fmt.Sprint(err)
		if err == nil {
			var targets, asked []string
			for _, target := range set.Targets {
				targets = append(targets, guard.FormatPlatform(target.Platform))
			}
			for _, target := range set.Requested {
				asked = append(asked, fmt.Sprint(guard.FormatPlatform(target.Platform), " ", len(target.Unreached)))
			}
			got = strings.Join(targets, " ") + "; " + strings.Join(asked, ", ")
		}
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("%q, stage %q: %s\nwant %s", test.dockerfile, test.stage, got, test.want)
		}
	}
}
