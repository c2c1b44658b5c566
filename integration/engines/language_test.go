package engines

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// languageCases use features of the language whose requests or LLB differ from those of a
// plain file, which an engine might be too old for. Each image prints want.
var languageCases = []struct {
	name, want string
	dockerfile string // with %s for the engine's other platform
}{
	{"a needed stage", "needed", `
FROM busybox AS test
RUN true
FROM --needs=test busybox
CMD echo needed
`},
	{"a stage for another platform", "made for %s", `
FROM busybox AS tool
ARG TARGETPLATFORM
COPY <<EOF /platform
made for ${TARGETPLATFORM}
EOF
FROM busybox
COPY --from=tool::%s /platform /
CMD cat /platform
`},
	{"an image for another platform", "%s", `
FROM busybox
COPY --from=busybox::%[1]s /bin/busybox /other
# The machine in the header of an ELF file (elf(5)).
CMD case $(od -An -tx1 -j18 -N1 /other) in *3e) echo linux/amd64 ;; *b7) echo linux/arm64 ;; esac
`},
	{"a newer Dockerfile", "heredoc copied linked", `
FROM busybox
RUN --mount=type=cache,target=/cache <<EOF
printf 'heredoc ' > /run
EOF
COPY <<EOF /copied
copied
EOF
COPY --link linked /linked
CMD echo $(cat /run /copied /linked)
`},
}

func TestLanguage(t *testing.T) {
	image := frontendImage(t)
	each(t, allKinds, func(t *testing.T, g engine) {
		for i, c := range languageCases {
			t.Run(c.name, func(t *testing.T) {
				dockerfile, want := c.dockerfile, c.want
				if strings.Contains(dockerfile, "%") {
					dockerfile = fmt.Sprintf(dockerfile, testkit.ForeignPlatform(g.env))
				}
				if strings.Contains(want, "%") {
					want = fmt.Sprintf(want, testkit.ForeignPlatform(g.env))
				}
				dir := testkit.WriteContext(t, map[string]string{"Dockerfile": dockerfile, "linked": "linked"})
				for j, frontend := range []string{"inprocess", "image=" + image} {
					tag := fmt.Sprintf("language:%d.%d", i, j)
					if _, err := g.Docker(t.Context(), "stagebuild", "build", "--frontend="+frontend, "--load", "-t", tag, dir); err != nil {
						t.Errorf("%s, --frontend=%s: %v", c.name, frontend, err)
						continue
					}
					g.wantRun(t, tag, want)
				}
			})
		}
	})
}

// TestSyntaxLine builds as users without the plugin do, with `docker build` and a "#
// syntax=" line.
func TestSyntaxLine(t *testing.T) {
	frontendImage(t)
	each(t, allKinds, func(t *testing.T, g engine) {
		dir := g.staged(t)
		g.docker(t, "build", "-t", "syntax", "--build-arg=FLAVOR=debug", dir)
		g.wantRun(t, "syntax", "debug, run")
		// The image of the plugin's own version, for which a development version uses the
		// latest.
		g.build(t, "--frontend=image", "--load", "-t", "syntax", dir)
		g.wantRun(t, "syntax", "release, run")
	})
}

// TestOwnDockerfile reads this repository's Dockerfile, which has no "# syntax=" line,
// with each engine's own frontend. The file is parsed completely before the missing target
// is reported.
func TestOwnDockerfile(t *testing.T) {
	each(t, allKinds, func(t *testing.T, g engine) {
		_, err := g.Docker(t.Context(), "build", "--target=none", "../..")
		wantError(t, err, "target stage", "none", "could not be found")
	})
}

func TestSecretsAndContexts(t *testing.T) {
	each(t, allKinds, func(t *testing.T, g engine) {
		dir := testkit.WriteContext(t, map[string]string{"Dockerfile": `
FROM base AS app
COPY --from=extra file /file
RUN --mount=type=secret,id=word tr a-z A-Z < /run/secrets/word >> /file
CMD ["cat", "/file"]
`})
		extra := testkit.WriteContext(t, map[string]string{"file": "extra "})
		g.with("WORD=secret").build(t, "--load", "-t", "secret", "--secret=id=word,env=WORD",
			"--build-context=base=docker-image://busybox", "--build-context=extra="+extra, dir)
		g.wantRun(t, "secret", "extra SECRET")
	})
}

func TestErrorsNameTheLine(t *testing.T) {
	each(t, allKinds, func(t *testing.T, g engine) {
		for _, c := range []struct{ dockerfile, want string }{
			{"FROM busybox\nRUN --if=DEBUGG true\n", `Dockerfile:2:10: unknown name "DEBUGG" in the condition`},
			{"FROM busybox AS app\nFROM --needs=ap busybox\n", `Dockerfile:2:14: `},
		} {
			t.Run(c.want, func(t *testing.T) {
				dir := testkit.WriteContext(t, map[string]string{"Dockerfile": c.dockerfile})
				_, err := g.Docker(t.Context(), "stagebuild", "build", dir)
				wantError(t, err, c.want)
			})
		}
		dir := testkit.WriteContext(t, map[string]string{"Dockerfile": "FROM busybox\nRUN echo before; exit 7\n"})
		_, err := g.Docker(t.Context(), "stagebuild", "build", "--progress=plain", dir)
		wantError(t, err, "before", "exit code: 7")
	})
}
