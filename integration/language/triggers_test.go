package language

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// triggerFile has a stage "assets" with a variant for each platform, which copies from the
// other platform and needs a test. "%s" is replaced by the stages with the triggers.
const triggerFile = `FROM --platform=$BUILDPLATFORM busybox AS test
ARG RESULT=pass
RUN --network=none test $RESULT = pass
FROM scratch AS names
ARG TARGETARCH
COPY $TARGETARCH /name

FROM --for=linux/arm64 --needs=test scratch AS assets
COPY a /f
COPY --from=names::linux/amd64 /name /other
FROM --for=linux/amd64 --needs=test scratch AS assets
COPY b /f
COPY --from=names::linux/arm64 /name /other
FROM nosuchbase-trigger AS unneeded
RUN exit 1

%s
FROM scratch
COPY --from=built /copied /other /said /
`

// triggerPlain is an equivalent plain file.
const triggerPlain = `FROM scratch AS assets-arm64
COPY a /f
COPY amd64 /other
FROM scratch AS assets-amd64
COPY b /f
COPY arm64 /other

FROM --platform=$BUILDPLATFORM busybox AS built-arm64
COPY --from=assets-arm64 /f /copied
COPY --from=assets-arm64 /other /other
RUN --mount=from=assets-arm64,target=/m cat /m/f /m/other > /said
FROM --platform=$BUILDPLATFORM busybox AS built-amd64
COPY --from=assets-amd64 /f /copied
COPY --from=assets-amd64 /other /other
RUN --mount=from=assets-amd64,target=/m cat /m/f /m/other > /said

FROM built-$TARGETARCH AS built
FROM scratch
COPY --from=built /copied /other /said /
`

const triggerInstructions = `ONBUILD COPY --from=assets /f /copied
ONBUILD COPY --from=assets /other /other
ONBUILD RUN --mount=from=assets,target=/m cat /m/f /m/other > /said
`

// TestTriggers runs triggers that refer to a stage with variants: triggers of a stage in
// the file and of an existing image.
func TestTriggers(t *testing.T) {
	env, frontend := suite.Product(t)
	base := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM busybox\n" + triggerInstructions})
	if err := testkit.Solve(t, env, base, "triggers/base:1", env.Platform); err != nil {
		t.Fatal(err)
	}
	for name, stages := range map[string]string{
		"stage": "FROM --for=windows nosuchbase-trigger AS base\nFROM --platform=$BUILDPLATFORM busybox AS base\n" +
			"ONBUILD --for=windows COPY --from=unneeded / /\n" + triggerInstructions + "FROM base AS built\n",
		"image": "FROM --platform=$BUILDPLATFORM " + env.Registry.Ref("triggers/base:1") + " AS built\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := testkit.Request{
				Platforms:  testkit.BothPlatforms(),
				Files:      map[string]string{"a": "a", "b": "b", "amd64": "amd64", "arm64": "arm64"},
				Dockerfile: strings.ReplaceAll(triggerFile, "%s", stages),
			}
			res := buildStagedAndPlain(t, "triggers/"+name, r, triggerPlain)
			testkit.WantFile(t, res, "linux/amd64", "said", "barm64")
			testkit.WantFile(t, res, "linux/arm64", "said", "aamd64")

			// The stages that triggers refer to must be available, and their needed stages
			// run.
			failing, dropped := r, r
			failing.Dockerfile = strings.Replace(r.Dockerfile, "RESULT=pass", "RESULT=fail", 1)
			dropped.Platforms = []string{"linux/amd64", "linux/s390x"}
			for want, r := range map[string]testkit.Request{
				`needed stage "`: failing,
				`stage "assets" has no variant for linux/s390x`: dropped,
			} {
				for _, w := range testkit.Clients(frontend)[:2] {
					err := w.Build(t, env, r.WriteContext(t, frontend), "triggers/refused:1", r)
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("%s: %s does not contain %q: %v", name, w.Name, want, err)
					}
				}
			}
		})
	}
}

// TestTriggersOfNamedContext builds FROM an image for a platform that a named context
// replaces. The trigger of that image refers to a stage. Copies from the image and mounts
// of it run no triggers.
func TestTriggersOfNamedContext(t *testing.T) {
	env, frontend := suite.Product(t)
	base := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM busybox\nONBUILD COPY --from=helper /h /copied\n"})
	if err := testkit.Solve(t, env, base, "triggers/context:1", env.Platform); err != nil {
		t.Fatal(err)
	}
	dir := testkit.Request{
		Files:      map[string]string{"h": "helped"},
		Dockerfile: "FROM scratch AS helper\nCOPY h /h\nFROM example.com/base:1::" + env.Platform + "\n",
	}.WriteContext(t, frontend)
	for _, command := range []string{"docker-stagebuild", "docker-buildx"} {
		out := t.TempDir()
		if _, err := env.Run(t.Context(), command, "build", "--output=type=local,dest="+out,
			"--build-context=example.com/base:1=docker-image://"+env.Registry.Ref("triggers/context:1"), dir); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(out, "copied")); string(got) != "helped" {
			t.Errorf("%s: the trigger copied %q, %v", command, got, err)
		}
	}
	const files = "FROM busybox AS app\nCOPY --from=NAME::PLATFORM /bin/busybox /taken\nRUN --mount=from=NAME::PLATFORM,target=/m test -x /m/bin/busybox && ! test -e /m/copied\n"
	for _, name := range []string{"example.com/base:1", "base"} {
		dockerfile := strings.NewReplacer("NAME", name, "PLATFORM", env.Platform).Replace(files)
		dir := testkit.Request{Dockerfile: dockerfile}.WriteContext(t, frontend)
		for _, command := range []string{"docker-stagebuild", "docker-buildx"} {
			if _, err := env.Run(t.Context(), command, "build", "--output=type=cacheonly",
				"--build-context="+name+"=docker-image://"+env.Registry.Ref("triggers/context:1"), dir); err != nil {
				t.Errorf("%s, context %s: %v", command, name, err)
			}
		}
	}
}
