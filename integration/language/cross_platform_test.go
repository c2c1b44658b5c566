package language

import (
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// TestBothPlatformsInOneImage copies the results for both platforms into one image, and a
// binary of an image for another platform.
func TestBothPlatformsInOneImage(t *testing.T) {
	res := testkit.BuildWithEveryClient(t, &suite, "cross/universal", testkit.Request{
		Platforms: testkit.BothPlatforms(),
		Files:     map[string]string{"amd": "for amd64", "arm": "for arm64"},
		Dockerfile: `FROM --for=linux/arm64 scratch AS build
COPY arm /app
FROM scratch AS build
COPY amd /app

FROM scratch AS empty
ARG TARGETSTAGE
ENV FROM_EMPTY=$TARGETSTAGE

FROM empty::$BUILDPLATFORM
COPY --from=build::linux/amd64 /app /bin/app-amd64
COPY --from=build::linux/arm64 /app /bin/app-arm64
COPY --from=busybox::linux/arm64 /bin/busybox /bin/busybox-arm64
`,
	})
	for _, platform := range testkit.BothPlatforms() {
		testkit.WantFile(t, res, platform, "bin/app-amd64", "for amd64")
		testkit.WantFile(t, res, platform, "bin/app-arm64", "for arm64")
		testkit.WantEnv(t, res, platform, "FROM_EMPTY", "default")
		img, err := res.Image(platform)
		if err != nil {
			t.Fatal(err)
		}
		busybox, err := img.ReadFile("bin/busybox-arm64")
		if err != nil {
			t.Fatal(err)
		}
		// Byte 18 of the ELF header is the machine.
		if len(busybox) < 20 || busybox[18] != 0xb7 {
			t.Errorf("%s: /bin/busybox-arm64 is not for arm64", platform)
		}
	}
}

// TestFromStageForBuildPlatform builds FROM a stage for the build platform: its
// environment is inherited, its ARGs are not.
func TestFromStageForBuildPlatform(t *testing.T) {
	env := suite.Env(t)
	res := testkit.BuildWithEveryClient(t, &suite, "cross/from", testkit.Request{
		Platforms: testkit.BothPlatforms(),
		Dockerfile: `FROM busybox AS base
ARG SECRETIVE=1
ENV SET=here
WORKDIR /work
USER 65534

FROM base::$BUILDPLATFORM AS native
ARG TARGETARCH
USER 0
RUN echo "$SET $(pwd) $TARGETARCH [$SECRETIVE]" > /said

FROM --for=linux/* native AS deeper
RUN --mount=from=native::$BUILDPLATFORM,target=/n cat /n/said > /native

FROM scratch
COPY --from=deeper /said /native /
`,
	})
	build := strings.TrimPrefix(env.Platform, "linux/")
	testkit.WantFile(t, res, "linux/amd64", "said", "here /work amd64 []\n")
	testkit.WantFile(t, res, "linux/arm64", "said", "here /work arm64 []\n")
	for _, platform := range testkit.BothPlatforms() {
		testkit.WantFile(t, res, platform, "native", "here /work "+build+" []\n")
	}
}

// TestCrossStageRunsOnce builds for four platforms, all of which copy from one stage for
// one platform.
func TestCrossStageRunsOnce(t *testing.T) {
	platforms := []string{"linux/amd64", "linux/arm64", "linux/riscv64", "linux/s390x"}
	env, frontend := suite.Product(t)
	r := testkit.Request{
		Platforms: platforms,
		Dockerfile: `FROM busybox AS build
RUN cat /proc/sys/kernel/random/uuid > /id
FROM scratch
COPY --from=build::` + env.Platform + ` /id /id
`,
	}
	for _, w := range testkit.Clients(frontend)[:3] {
		repo := "cross/once:" + strings.ReplaceAll(w.Name, " ", "-")
		dir := r.WriteContext(t, frontend)
		if err := w.Build(t, env, dir, repo, r); err != nil {
			t.Fatalf("%s: %v", w.Name, err)
		}
		res, err := env.Registry.Read(t.Context(), repo)
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		for _, img := range res.Images {
			id, err := img.ReadFile("id")
			if err != nil {
				t.Fatal(err)
			}
			ids[string(id)] = true
		}
		if len(res.Images) != len(platforms) || len(ids) != 1 {
			t.Errorf("%s: the step ran %d times for %d images, want once", w.Name, len(ids), len(res.Images))
		}
	}
}

// needsFile has a release that needs a test, which passes only with CHECK=pass.
const needsFile = `ARG CHECK=pass
FROM busybox AS test
ARG CHECK
RUN --network=none test "$CHECK" = pass
FROM --if='CHECK == "never"' nosuchbase-need AS skipped
FROM --needs=test busybox AS lint
RUN --network=none true
FROM --if='CHECK == "never"' --needs=skipped busybox AS variant
FROM busybox AS variant
FROM %s variant AS release
COPY a /a
FROM release AS top
`

// TestNeedsDoNotChangeTheImage compares an image with the one built without --needs.
func TestNeedsDoNotChangeTheImage(t *testing.T) {
	env, frontend := suite.Product(t)
	digests := map[string]string{}
	for _, needs := range []string{"", "--needs=lint"} {
		r := testkit.Request{
			Platforms:  []string{env.Platform},
			Files:      map[string]string{"a": "a"},
			Args:       map[string]string{"SOURCE_DATE_EPOCH": "0"},
			Dockerfile: strings.ReplaceAll(needsFile, "%s", needs),
		}
		for _, w := range testkit.Clients(frontend) {
			repo := "needs/trace:" + strings.ReplaceAll(w.Name+needs, " ", "-")
			repo = strings.ReplaceAll(repo, "=", "-")
			if err := w.Build(t, env, r.WriteContext(t, frontend), repo, r); err != nil {
				t.Fatalf("%s: %v", w.Name, err)
			}
			digests[w.Name+" "+needs] = testkit.ReadImage(t, env, repo, env.Platform).Digest.String()
		}
	}
	want := digests["plugin "]
	for name, digest := range digests {
		if digest != want {
			t.Errorf("%s: digest is %s, want %s", name, digest, want)
		}
	}
}

// TestNeededStageFails builds a target whose own stages succeed but which needs a stage
// that needs a failing one. The error shows the failing line.
func TestNeededStageFails(t *testing.T) {
	env, frontend := suite.Product(t)
	for _, target := range []string{"", "release"} {
		r := testkit.Request{
			Platforms:  []string{env.Platform},
			Target:     target,
			Files:      map[string]string{"a": "a"},
			Args:       map[string]string{"CHECK": "fail"},
			Dockerfile: strings.ReplaceAll(needsFile, "%s", "--needs=lint"),
		}
		for _, w := range testkit.Clients(frontend) {
			err := w.Build(t, env, r.WriteContext(t, frontend), "needs/failing:1", r)
			if err == nil {
				t.Errorf("%s: the build succeeded although a needed stage fails", w.Name)
				continue
			}
			for _, want := range []string{`needed stage "test" failed`, `   5 | >>> RUN --network=none test "$CHECK" = pass`} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s does not contain %q:\n%v", w.Name, want, err)
				}
			}
		}
	}
	// An unneeded stage does not run.
	r := testkit.Request{
		Platforms:  []string{env.Platform},
		Target:     "variant",
		Args:       map[string]string{"CHECK": "fail"},
		Dockerfile: strings.ReplaceAll(needsFile, "%s", "--needs=lint"),
	}
	if err := testkit.Clients(frontend)[0].Build(t, env, r.WriteContext(t, frontend), "needs/variant:1", r); err != nil {
		t.Error(err)
	}
}

// TestReusedStageNames refers to a stage whose name a later stage reuses, by FROM for
// another platform and by --needs: both mean the earlier stage.
func TestReusedStageNames(t *testing.T) {
	res := testkit.BuildWithEveryClient(t, &suite, "cross/equal", testkit.Request{
		Platforms: []string{"linux/amd64"},
		Files:     map[string]string{"a": "a", "b": "b"},
		Dockerfile: `FROM scratch AS same
COPY a /f
FROM same::linux/arm64 AS one
FROM scratch AS same
COPY b /f
FROM one
`,
	})
	testkit.WantFile(t, res, "linux/amd64", "f", "a")

	env, frontend := suite.Product(t)
	r := testkit.Request{
		Platforms: []string{env.Platform},
		Files:     map[string]string{"a": "a"},
		Dockerfile: `FROM busybox AS same
RUN false
FROM --needs=same scratch AS one
COPY a /f
FROM busybox AS same
RUN true
FROM one
`,
	}
	err := testkit.Clients(frontend)[0].Build(t, env, r.WriteContext(t, frontend), "needs/equal:1", r)
	if err == nil || !strings.Contains(err.Error(), "   3 | >>> RUN false") {
		t.Errorf("a failing needed stage whose name is reused below: %v", err)
	}
}

// TestBlocks builds a file with blocks inside a stage and around stages.
func TestBlocks(t *testing.T) {
	res := testkit.BuildWithEveryClient(t, &suite, "staged/blocks", testkit.Request{
		Platforms: testkit.BothPlatforms(),
		Args:      map[string]string{"DEBUG": "1"},
		Files:     map[string]string{"a": "a", "b": "b"},
		Dockerfile: `ARG DEBUG
IF TARGETARCH == "arm64"
  ARG SIZE=small
ELSE IF DEBUG
  ARG SIZE=large
ELSE
  ARG SIZE=medium
ENDIF

IF platform("linux/arm64")
FROM scratch AS base
COPY a /base
ELSE
FROM nosuchbase-block AS unused
FROM scratch AS base
COPY b /base
ENDIF

FROM base
IF DEBUG
  IF SIZE == "small"
    COPY a /small
  ELSE
    COPY a /large
  ENDIF
  ENV DEBUG=on
ELSE
  RUN exit 1
ENDIF
`,
	})
	testkit.WantFile(t, res, "linux/amd64", "base", "b")
	testkit.WantFile(t, res, "linux/arm64", "base", "a")
	testkit.WantFiles(t, res, "linux/amd64", map[string]bool{"small": false, "large": true})
	testkit.WantFiles(t, res, "linux/arm64", map[string]bool{"small": true, "large": false})
	for _, platform := range testkit.BothPlatforms() {
		testkit.WantEnv(t, res, platform, "DEBUG", "on")
	}
}

// TestUndeclaredPlatform expects a warning for a platform that the file does not declare.
func TestUndeclaredPlatform(t *testing.T) {
	env, frontend := suite.Product(t)
	dir := testkit.Request{Files: map[string]string{"a": "a"}, Dockerfile: "# platforms=linux/arm64,linux/s390x\nFROM scratch\nCOPY a /\n"}.WriteContext(t, frontend)
	for _, command := range []string{"docker-stagebuild", "docker-buildx"} {
		for platform, warned := range map[string]bool{"linux/amd64": true, "linux/s390x": false} {
			out, err := env.Run(t.Context(), command, "build", "--progress=plain", "--platform="+platform, dir)
			if err != nil {
				t.Fatal(err)
			}
			const want = "UndeclaredPlatform: the file does not declare linux/amd64, only linux/arm64, linux/s390x"
			if strings.Contains(out.Stderr, want) != warned {
				t.Errorf("%s for %s: warned is %v, want %v:\n%s", command, platform, !warned, warned, out.Stderr)
			}
		}
	}
}
