package language

import (
	"maps"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stagebuild/stagebuild/integration/internal/harness"
	"github.com/stagebuild/stagebuild/integration/internal/testkit"
)

// buildStagedAndPlain builds a staged file with every client and an equivalent plain file
// with BuildKit's own frontend. All results must have the same digest. It returns one of
// them.
func buildStagedAndPlain(t *testing.T, repo string, r testkit.Request, plain string) *harness.Result {
	t.Helper()
	env, frontend := suite.Product(t)
	// Without it every image would have the time of its build.
	r.Args = maps.Clone(r.Args)
	if r.Args == nil {
		r.Args = map[string]string{}
	}
	r.Args["SOURCE_DATE_EPOCH"] = "0"
	dir := r.WriteContext(t, frontend)
	file := filepath.Join(t.TempDir(), "Dockerfile")
	testkit.WriteFile(t, file, plain)
	args := append([]string{"docker-buildx", "build", "--file=" + file}, r.Flags(env, repo+":plain")...)
	if err := testkit.Run(t, env, append(args, dir)); err != nil {
		t.Fatalf("the plain file: %v", err)
	}
	want, err := env.Registry.Read(t.Context(), repo+":plain")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range testkit.Clients(frontend) {
		name := repo + ":" + strings.ReplaceAll(w.Name, " ", "-")
		if err := w.Build(t, env, dir, name, r); err != nil {
			t.Errorf("%s: %v", w.Name, err)
			continue
		}
		got, err := env.Registry.Read(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if got.Digest != want.Digest {
			t.Errorf("%s: the digest differs from the plain file's; files by platform:\n%v\nwant\n%v", w.Name, filesByPlatform(t, got), filesByPlatform(t, want))
		}
	}
	return want
}

// filesByPlatform returns the names and contents of an image's files for each platform,
// without busybox.
func filesByPlatform(t *testing.T, res *harness.Result) map[string]map[string]string {
	t.Helper()
	files := map[string]map[string]string{}
	for _, img := range res.Images {
		files[img.Platform] = testkit.FileContents(t, img)
		delete(files[img.Platform], "bin/busybox")
	}
	return files
}

// stagedPair is a staged file and the equivalent plain file for two platforms.
type stagedPair struct {
	name  string
	files map[string]string
	// target is the stage to build; the default is the last one.
	target        string
	staged, plain string
	// built are files of the image for linux/arm64.
	built map[string]string
}

var stagedPairs = []stagedPair{
	{
		name:  "flags of COPY",
		files: map[string]string{"tree/a.txt": "a", "tree/b.log": "b", "tree/sub/c.txt": "c", "tree/sub/deep/d.log": "d", "tree/sub/deep/e.txt": "e"},
		staged: `ARG WHICH=assets
FROM --for=linux/arm64 scratch AS assets
COPY tree /small
FROM scratch AS assets
COPY tree /large
FROM --if='WHICH == "never"' nosuchbase-flags AS never

FROM busybox
COPY --link --from=assets --for=linux/arm64 /small /link/
COPY --for=linux/amd64 --from=assets --link /large /link/
COPY --parents --if='TARGETARCH == "arm64"' --from=assets /small/sub/./deep /small/./a.txt /parents/
COPY --if='TARGETARCH != "arm64"' --from=assets --parents /large/sub/./deep /large/./a.txt /parents/
COPY --exclude=*.log --from=$WHICH::linux/arm64 --exclude=**/e.txt --if=true /small /excluded/
COPY --from=${WHICH} --for=linux --chmod=0600 --chown=65534:65534 /*/a.txt /owned
COPY --chown=65534 --from=assets::linux/amd64 \
     --if='WHICH != "none"' \
     --chmod=u=rw,go= --link /large/b.log /owned.log
COPY --from=2 --if=false / /never
COPY --from=1 --for=linux/amd64 /large/a.txt /numbered
COPY --from=0 --for=linux/arm64 /small/a.txt /numbered
`,
		plain: `FROM scratch AS assets-arm64
COPY tree /small
FROM scratch AS assets-amd64
COPY tree /large

FROM busybox AS app-amd64
COPY --link --from=assets-amd64 /large /link/
COPY --from=assets-amd64 --parents /large/sub/./deep /large/./a.txt /parents/
COPY --exclude=*.log --from=assets-arm64 --exclude=**/e.txt /small /excluded/
COPY --from=assets-amd64 --chmod=0600 --chown=65534:65534 /*/a.txt /owned
COPY --chown=65534 --from=assets-amd64 --chmod=u=rw,go= --link /large/b.log /owned.log
COPY --from=assets-amd64 /large/a.txt /numbered

FROM busybox AS app-arm64
COPY --link --from=assets-arm64 /small /link/
COPY --parents --from=assets-arm64 /small/sub/./deep /small/./a.txt /parents/
COPY --exclude=*.log --from=assets-arm64 --exclude=**/e.txt /small /excluded/
COPY --from=assets-arm64 --chmod=0600 --chown=65534:65534 /*/a.txt /owned
COPY --chown=65534 --from=assets-amd64 --chmod=u=rw,go= --link /large/b.log /owned.log
COPY --from=assets-arm64 /small/a.txt /numbered

FROM app-$TARGETARCH
`,
		built: map[string]string{
			"link/sub/c.txt": "c", "parents/deep/e.txt": "e", "parents/a.txt": "a",
			"excluded/sub/c.txt": "c", "owned": "a", "owned.log": "b", "numbered": "a",
		},
	},
	{
		name:   "numbers and a target beside dropped stages",
		target: "four",
		files:  map[string]string{"a": "a", "b": "b"},
		staged: `FROM --for=windows nosuchbase-zero AS zero
FROM scratch AS one
COPY a /one
IF false
  FROM nosuchbase-two
  RUN exit 1
ENDIF
FROM --for=linux/arm64 scratch
COPY a /three
FROM scratch AS three
COPY b /three
FROM scratch AS four
COPY --from=1 /one /
COPY --from=3 --for=linux/arm64 /three /
COPY --from=4 --for=linux/amd64 /three /
COPY --from=0 --for=windows / /
FROM --for=windows nosuchbase-last AS last
COPY --from=2 / /
`,
		plain: `FROM scratch AS one
COPY a /one
FROM scratch AS three-arm64
COPY a /three
FROM scratch AS three-amd64
COPY b /three
FROM scratch AS four-amd64
COPY --from=0 /one /
COPY --from=three-amd64 /three /
FROM scratch AS four-arm64
COPY --from=0 /one /
COPY --from=three-arm64 /three /
FROM four-$TARGETARCH AS four
`,
		built: map[string]string{"one": "a", "three": "a"},
	},
	{
		name: "heredocs",
		staged: `ARG ON=1
FROM --platform=$BUILDPLATFORM busybox AS build
RUN --if=ON <<EOF
echo "IF TARGETOS" > /kept
: "
ENDIF
FROM nosuchbase-in-a-heredoc
COPY --if=false a b
"
EOF
RUN --if=!ON <<EOF
exit 1
IF
ELSE
ENDIF
EOF
IF ON
  RUN <<-'TABS' cat >> /kept && cat <<OTHER >> /kept
	IF ON
	TABS
ELSE
OTHER
ELSE
  COPY <<ENDIF /never
IF ON
ENDIF
  RUN exit 1
ENDIF
FROM scratch
ARG ON
COPY --from=build /kept /
COPY --for=linux/arm64 <<IF <<ELSE /two/
one ${ON} --if=ON
ENDIF
IF
two
ELSE
COPY --chmod=0640 --if=ON <<"EOF" /raw
# no comment: $ON --if=ON
EOF
COPY --for=windows <<EOF /never
ENDIF
EOF
`,
		plain: `ARG ON=1
FROM --platform=$BUILDPLATFORM busybox AS build
RUN <<EOF
echo "IF TARGETOS" > /kept
: "
ENDIF
FROM nosuchbase-in-a-heredoc
COPY --if=false a b
"
EOF
RUN <<-'TABS' cat >> /kept && cat <<OTHER >> /kept
	IF ON
	TABS
ELSE
OTHER

FROM scratch AS app-amd64
ARG ON
COPY --from=build /kept /
COPY --chmod=0640 <<"EOF" /raw
# no comment: $ON --if=ON
EOF

FROM scratch AS app-arm64
ARG ON
COPY --from=build /kept /
COPY <<IF <<ELSE /two/
one ${ON} --if=ON
ENDIF
IF
two
ELSE
COPY --chmod=0640 <<"EOF" /raw
# no comment: $ON --if=ON
EOF
FROM app-$TARGETARCH
`,
		built: map[string]string{
			"kept": "IF TARGETOS\nIF ON\nELSE\n", "two/IF": "one 1 --if=ON\nENDIF\n", "two/ELSE": "two\n", "raw": "# no comment: $ON --if=ON\n",
		},
	},
	{
		name: "shells",
		staged: `ARG STRICT=1
FROM --platform=$BUILDPLATFORM busybox AS build
SHELL --if=!STRICT ["nosuchshell"]
SHELL --for=windows ["cmd", "/S", "/C"]
SHELL --if=STRICT --for=linux/arm64 ["/bin/sh", "-euc"]
RUN case $- in *e*) echo strict ;; *) echo default ;; esac > /shell
IF STRICT
  SHELL ["/bin/sh", "-fc"]
ELSE
  SHELL ["nosuchshell"]
ENDIF
RUN case $- in *f*) echo no names ;; esac >> /shell

FROM scratch
SHELL --for=windows ["cmd", "/S", "/C"]
SHELL --for=linux/arm64 ["/small"]
COPY --from=build /shell /
CMD --for=linux echo in that shell
`,
		plain: `FROM --platform=$BUILDPLATFORM busybox AS build-amd64
RUN case $- in *e*) echo strict ;; *) echo default ;; esac > /shell
SHELL ["/bin/sh", "-fc"]
RUN case $- in *f*) echo no names ;; esac >> /shell
FROM --platform=$BUILDPLATFORM busybox AS build-arm64
SHELL ["/bin/sh", "-euc"]
RUN case $- in *e*) echo strict ;; *) echo default ;; esac > /shell
SHELL ["/bin/sh", "-fc"]
RUN case $- in *f*) echo no names ;; esac >> /shell

FROM scratch AS app-amd64
COPY --from=build-amd64 /shell /
CMD echo in that shell
FROM scratch AS app-arm64
SHELL ["/small"]
COPY --from=build-arm64 /shell /
CMD echo in that shell
FROM app-$TARGETARCH
`,
		built: map[string]string{"shell": "strict\nno names\n"},
	},
}

// TestStagedEqualsPlain builds staged files and equivalent plain files.
func TestStagedEqualsPlain(t *testing.T) {
	for i, p := range stagedPairs {
		t.Run(p.name, func(t *testing.T) {
			r := testkit.Request{Dockerfile: p.staged, Files: p.files, Platforms: testkit.BothPlatforms(), Target: p.target}
			res := buildStagedAndPlain(t, "plain/pair"+strconv.Itoa(i), r, p.plain)
			for path, content := range p.built {
				testkit.WantFile(t, res, "linux/arm64", path, content)
			}
		})
	}
}
