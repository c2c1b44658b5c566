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

// TestResolvePossible checks which platforms are left out of the targets of a set.
func TestResolvePossible(t *testing.T) {
	for _, test := range []struct {
		name, dockerfile, stage string
		// want has the platforms of the targets, and each requested platform with its
		// number of unreached diagnostics; or it begins the error.
		want string
	}{
		{"default target", "FROM a AS app\nFROM --for=linux/amd64 app AS bench\n", "", "linux/amd64; linux/amd64 0, linux/arm64 0"},
		{"stage in another case", "FROM a AS app\nFROM --for=linux/arm64 app AS bench\n", "BENCH", "linux/arm64; linux/amd64 0, linux/arm64 0"},
		{"stage of all platforms", "FROM a AS app\nFROM --for=linux/amd64 app AS bench\n", "app", "linux/amd64 linux/arm64; linux/amd64 0, linux/arm64 0"},
		{"dropped dependency", "FROM --for=linux/arm64 a AS tools\nFROM b\nCOPY --from=tools / /\n", "", "linux/arm64; linux/amd64 1, linux/arm64 0"},
		{"no platform", "FROM --for=linux/s390x a AS app\n", "", `Dockerfile:1:1: stage "app" has no variant for linux/amd64:`},
		{"invalid guard", "FROM a\nRUN --if='X' true\nFROM --for=linux/amd64 b\n", "", `Dockerfile:2:11: unknown name "X" in the condition`},
		{"open quote", "FROM a\nRUN --if='X true\n", "", "Dockerfile:2:10: the quote in --if is not closed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			file, _ := syntax.Parse(source.NewFile("Dockerfile", []byte(test.dockerfile)))
			amd64, arm64 := platforms.MustParse("linux/amd64"), platforms.MustParse("linux/arm64")
			set, err := plan.ResolvePossible(file, plan.Env{Build: amd64}, plan.Request{Stage: test.stage, Platforms: []guard.Platform{amd64, arm64}})
			got := fmt.Sprint(err)
			if err == nil {
				var targets, requested []string
				for _, target := range set.Targets {
					targets = append(targets, guard.FormatPlatform(target.Platform))
				}
				for _, target := range set.Requested {
					requested = append(requested, fmt.Sprint(guard.FormatPlatform(target.Platform), " ", len(target.Unreached)))
				}
				got = strings.Join(targets, " ") + "; " + strings.Join(requested, ", ")
			}
			if !strings.HasPrefix(got, test.want) {
				t.Errorf("%s\nwant %s", got, test.want)
			}
		})
	}
}
