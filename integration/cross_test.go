package integration

import (
	"strings"
	"testing"
)

// TestUniversalImage puts the results of both platforms into one image, and takes
// the binary of an image for a platform of its own.
func TestUniversalImage(t *testing.T) {
	res := buildEveryWay(t, "cross/universal", request{
		platforms: bothPlatforms,
		files:     map[string]string{"amd": "for amd64", "arm": "for arm64"},
		dockerfile: `FROM --for=linux/arm64 scratch AS build
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
	for _, platform := range bothPlatforms {
		wantFile(t, res, platform, "bin/app-amd64", "for amd64")
		wantFile(t, res, platform, "bin/app-arm64", "for arm64")
		wantEnv(t, res, platform, "FROM_EMPTY", "default")
		img, err := res.Image(platform)
		if err != nil {
			t.Fatal(err)
		}
		busybox, err := img.ReadFile("bin/busybox-arm64")
		if err != nil {
			t.Fatal(err)
		}
		// The ELF header's machine field, at byte 18.
		if len(busybox) < 20 || busybox[18] != 0xb7 {
			t.Errorf("%s: /bin/busybox-arm64 is not for arm64", platform)
		}
	}
}

// TestFromStageForBuildPlatform builds FROM a stage as it is for the machine that
// builds: its environment comes along, its ARGs do not.
func TestFromStageForBuildPlatform(t *testing.T) {
	env := suite.Env(t)
	res := buildEveryWay(t, "cross/from", request{
		platforms: bothPlatforms,
		dockerfile: `FROM busybox AS base
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
	wantFile(t, res, "linux/amd64", "said", "here /work amd64 []\n")
	wantFile(t, res, "linux/arm64", "said", "here /work arm64 []\n")
	for _, platform := range bothPlatforms {
		wantFile(t, res, platform, "native", "here /work "+build+" []\n")
	}
}

// TestCrossStageRunsOnce builds for four platforms from one stage of one platform.
func TestCrossStageRunsOnce(t *testing.T) {
	platforms := []string{"linux/amd64", "linux/arm64", "linux/riscv64", "linux/s390x"}
	env, frontend := productEnv(t)
	r := request{
		platforms: platforms,
		dockerfile: `FROM busybox AS build
RUN cat /proc/sys/kernel/random/uuid > /id
FROM scratch
COPY --from=build::` + env.Platform + ` /id /id
`,
	}
	for _, w := range ways(frontend)[:3] {
		repo := "cross/once:" + strings.ReplaceAll(w.name, " ", "-")
		dir := r.context(t, frontend)
		if err := w.build(t, env, dir, repo, r); err != nil {
			t.Fatalf("%s: %v", w.name, err)
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
			t.Errorf("%s: the step ran %d times for %d images, want once", w.name, len(ids), len(res.Images))
		}
	}
}

// needing is a file whose release needs what CHECK says of.
const needing = `ARG CHECK=pass
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

// TestNeedsLeaveNoTrace compares an image with the one built without --needs.
func TestNeedsLeaveNoTrace(t *testing.T) {
	env, frontend := productEnv(t)
	digests := map[string]string{}
	for _, needs := range []string{"", "--needs=lint"} {
		r := request{
			platforms:  []string{env.Platform},
			files:      map[string]string{"a": "a"},
			args:       map[string]string{"SOURCE_DATE_EPOCH": "0"},
			dockerfile: strings.ReplaceAll(needing, "%s", needs),
		}
		for _, w := range ways(frontend) {
			repo := "needs/trace:" + strings.ReplaceAll(w.name+needs, " ", "-")
			repo = strings.ReplaceAll(repo, "=", "-")
			if err := w.build(t, env, r.context(t, frontend), repo, r); err != nil {
				t.Fatalf("%s: %v", w.name, err)
			}
			digests[w.name+" "+needs] = readImage(t, env, repo, env.Platform).Digest.String()
		}
	}
	want := digests["plugin "]
	for name, digest := range digests {
		if digest != want {
			t.Errorf("%s: digest is %s, want %s", name, digest, want)
		}
	}
}

// TestFailingNeed fails a build whose own stages are all sound, through a need of
// a need, at the need's own line.
func TestFailingNeed(t *testing.T) {
	env, frontend := productEnv(t)
	for _, target := range []string{"", "release"} {
		r := request{
			platforms:  []string{env.Platform},
			target:     target,
			files:      map[string]string{"a": "a"},
			args:       map[string]string{"CHECK": "fail"},
			dockerfile: strings.ReplaceAll(needing, "%s", "--needs=lint"),
		}
		for _, w := range ways(frontend) {
			err := w.build(t, env, r.context(t, frontend), "needs/failing:1", r)
			if err == nil {
				t.Errorf("%s: a build was done although what it needs fails", w.name)
				continue
			}
			for _, want := range []string{`stage "test", which is needed, failed`, `   5 | >>> RUN --network=none test "$CHECK" = pass`} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s does not say %q:\n%v", w.name, want, err)
				}
			}
		}
	}
	// What the target does not need is not run.
	r := request{
		platforms:  []string{env.Platform},
		target:     "variant",
		args:       map[string]string{"CHECK": "fail"},
		dockerfile: strings.ReplaceAll(needing, "%s", "--needs=lint"),
	}
	if err := ways(frontend)[0].build(t, env, r.context(t, frontend), "needs/variant:1", r); err != nil {
		t.Error(err)
	}
}

// TestEqualNames refers to a stage above whose name is used again below, by a FROM
// for another platform and as a need: the one above is meant.
func TestEqualNames(t *testing.T) {
	res := buildEveryWay(t, "cross/equal", request{
		platforms: []string{"linux/amd64"},
		files:     map[string]string{"a": "a", "b": "b"},
		dockerfile: `FROM scratch AS same
COPY a /f
FROM same::linux/arm64 AS one
FROM scratch AS same
COPY b /f
FROM one
`,
	})
	wantFile(t, res, "linux/amd64", "f", "a")

	env, frontend := productEnv(t)
	r := request{
		platforms: []string{env.Platform},
		files:     map[string]string{"a": "a"},
		dockerfile: `FROM busybox AS same
RUN false
FROM --needs=same scratch AS one
COPY a /f
FROM busybox AS same
RUN true
FROM one
`,
	}
	err := ways(frontend)[0].build(t, env, r.context(t, frontend), "needs/equal:1", r)
	if err == nil || !strings.Contains(err.Error(), "   3 | >>> RUN false") {
		t.Errorf("a need that fails and has a namesake below: %v", err)
	}
}

// TestBlocks builds a file with blocks inside a stage and around stages.
func TestBlocks(t *testing.T) {
	res := buildEveryWay(t, "staged/blocks", request{
		platforms: bothPlatforms,
		args:      map[string]string{"DEBUG": "1"},
		files:     map[string]string{"a": "a", "b": "b"},
		dockerfile: `ARG DEBUG
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
	wantFile(t, res, "linux/amd64", "base", "b")
	wantFile(t, res, "linux/arm64", "base", "a")
	wantFiles(t, res, "linux/amd64", map[string]bool{"small": false, "large": true})
	wantFiles(t, res, "linux/arm64", map[string]bool{"small": true, "large": false})
	for _, platform := range bothPlatforms {
		wantEnv(t, res, platform, "DEBUG", "on")
	}
}

// TestUndeclaredPlatform warns of a platform that the file does not declare.
func TestUndeclaredPlatform(t *testing.T) {
	env, frontend := productEnv(t)
	dir := request{files: map[string]string{"a": "a"}, dockerfile: "# platforms=linux/arm64,linux/s390x\nFROM scratch\nCOPY a /\n"}.context(t, frontend)
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
