package frontend_test

import "strings"

// longLine is longer than BuildKit allows for a line (bufio.MaxScanTokenSize).
var longLine = strings.Repeat("x", 64<<10)

// plainFile is a plain Dockerfile, with the options of its builds.
type plainFile struct {
	name       string
	opts       map[string]string
	dockerfile string
}

// plainFiles have one feature each that is easy to get wrong.
var plainFiles = []plainFile{
	{name: "heredocs", dockerfile: `FROM alpine
RUN <<EOF cat <<-"TWO" >/x
FROM --if=DEBUG not an instruction
EOF
	RUN --for=linux neither
	TWO
COPY <<one <<two /dst/
# not a comment
one
\
two
RUN ["echo", "<<EOF"]
CMD echo <<EOF
LABEL a="<<EOF"
`},
	{name: "triggers", dockerfile: `FROM alpine AS base
ONBUILD RUN --network=none echo
ONBUILD COPY <<EOF /x
--if=DEBUG
EOF
ONBUILD COPY --from=alpine /a /b
FROM base
RUN after
`},
	{name: "triggers of an image", dockerfile: "FROM alpine AS tools\nFROM trigger\nRUN after\n"},
	{name: "backtick", dockerfile: "# escape=`\nFROM alpine\nRUN one `\n\n  # comment\n  two `  \n  c:\\dir\\\nLABEL a=`\"b`\"\n"},
	{name: "carriage returns", dockerfile: "# escape=\\\r\nFROM alpine\r\nRUN <<EOF\r\necho\r\nEOF\r\nRUN a \\\r\n  b\r\r\nENV A=b\r\n"},
	{name: "byte-order mark", dockerfile: "\ufeff# escape=`\nFROM alpine AS e\nRUN a `\n b\n"},
	{name: "non-ASCII", dockerfile: "FROM alpine\nLABEL grüße=\"schöne\"\nRUN --mount=type=bind,target=/à true\nENV ü=ö\n"},
	{name: "words that look like the language", dockerfile: `# platforms-like comment
FROM alpine AS if
FROM if AS for
RUN echo --if=DEBUG --for=linux
RUN -- --if=DEBUG
COPY --from=if a$ b
ENV IF=1 FOR=2
`},
	{
		name: "named contexts",
		opts: map[string]string{
			"context:base":               "docker-image://debian:12",
			"context:tools::linux/arm64": "docker-image://busybox",
			"context:files":              "local:files",
			"context:other":              "https://example.com/a.git#main",
			"local-sessionid:files":      "another",
			"sharedkey:localdir:files":   "key",
			"context:alpine":             "docker-image://alpine:3",
		},
		dockerfile: `FROM missing AS base
RUN never
FROM alpine AS tools
FROM base
COPY --from=tools /a /b
COPY --from=files /a /c
COPY --from=other /a /c
`,
	},
	{name: "numeric references", dockerfile: `FROM alpine AS a
FROM busybox
RUN b
FROM scratch
COPY --from=0 / /a
COPY --from=1 / /b
RUN --mount=from=0,target=/x true
`},
	{name: "equal names", dockerfile: `FROM alpine AS Base
FROM busybox AS base
RUN second
FROM base AS app
COPY --from=BASE /a /b
FROM base
`},
	{name: "a target", opts: map[string]string{"target": "Mid"}, dockerfile: "FROM alpine AS mid\nRUN a\nFROM missing\n"},
	{
		name:       "no cache for one stage",
		opts:       map[string]string{"no-cache": "a,stage-1"},
		dockerfile: "FROM alpine AS a\nRUN a\nFROM alpine AS b\nRUN b\nFROM a\nCOPY --from=b / /\nRUN c\n",
	},
	{name: "no cache at all", opts: map[string]string{"no-cache": ""}, dockerfile: "FROM alpine\nRUN a\n"},
	{
		name: "labels, build args and the rest",
		opts: map[string]string{
			"label:a":                           "b",
			"build-arg:VERSION":                 "3",
			"build-arg:UNUSED":                  "x",
			"build-arg:HTTP_PROXY":              "http://proxy",
			"build-arg:TARGETOS":                "plan9",
			"build-arg:SOURCE_DATE_EPOCH":       "1700000000",
			"build-arg:BUILDKIT_MULTI_PLATFORM": "1",
			"build-arg:BUILDKIT_CACHE_MOUNT_NS": "ns",
			"add-hosts":                         "h=10.0.0.1",
			"ulimit":                            "nofile=10:20",
			"shm-size":                          "1000",
			"cgroup-parent":                     "group",
			"force-network-mode":                "none",
			"hostname":                          "host",
			"image-resolve-mode":                "pull",
			"cache-from":                        "one,two",
			"cache-imports":                     `[{"type":"registry","attrs":{"ref":"three"}}]`,
		},
		dockerfile: `ARG VERSION=1
ARG ALSO=${VERSION:-2}x
FROM --platform=$BUILDPLATFORM alpine:$VERSION AS build
ARG VERSION ALSO TARGETOS TARGETARCH=override
ARG OWN="a b"
RUN --mount=type=cache,target=/c echo $VERSION
FROM alpine:${ALSO}
ENV A=$B
COPY --from=build --link --chmod=755 /a /b
ADD https://example.com/x /y
EXPOSE 80
VOLUME /data
HEALTHCHECK --interval=1s CMD true
STOPSIGNAL SIGINT
SHELL ["sh", "-c"]
USER me
WORKDIR rel
MAINTAINER nobody
CMD run
ENTRYPOINT ["x"]
`,
	},
	{
		name:       "SBOM",
		opts:       map[string]string{"attest:sbom": "generator=docker/scanner", "attest:provenance": "mode=max"},
		dockerfile: "ARG BUILDKIT_SBOM_SCAN_CONTEXT=true\nFROM alpine AS build\nARG BUILDKIT_SBOM_SCAN_STAGE=1\nRUN build\nFROM scratch\nCOPY --from=build /a /\n",
	},
	{
		name: "SBOM with a cache",
		opts: map[string]string{
			"attest:sbom": "generator=docker/scanner", "cache-imports": `[{"Type":"registry","Attrs":{"ref":"example.com/cache"}}]`,
		},
		dockerfile: "FROM alpine\nRUN build\n",
	},
	{
		name:       "warnings",
		dockerfile: "from alpine as A\nRUN a $X $X\nRUN a $X $X\nENV K v\nCMD x\nCMD y\nRUN a \\\n\n b\nFROM alpine AS a\nWORKDIR x\nARG PASSWORD=$Z$Z\nENV A=$Z B=$Z\nEXPOSE $Y $Y\n",
	},
	{name: "checks skipped", dockerfile: "# check=skip=all\nfrom alpine as A\nCMD x\nCMD y\n"},
	{
		name:       "check option",
		opts:       map[string]string{"build-arg:BUILDKIT_DOCKERFILE_CHECK": "skip=StageNameCasing"},
		dockerfile: "FROM alpine AS A\nCMD x\n",
	},
	{
		name: "escapes in RUN",
		dockerfile: `FROM alpine
ENV A=b
RUN echo C:\hello\world "C:\quoted\path" \$A $A "a\"b" 'x\y'
RUN ["echo", "C:\\exec\\path"]
`,
	},
	{
		name: "quoted patterns",
		opts: map[string]string{"build-arg:TAG": `a\bc`},
		dockerfile: `ARG TAG
FROM alpine:${TAG#"a\b"} AS c
FROM busybox
ARG TAG
ENV A=${TAG#'a\b'} B=${TAG/"\b"/x} C=${TAG%"\bc"}
COPY --from=c /a /b
`,
	},
	{
		name: "owners",
		dockerfile: `FROM alpine
COPY --chown=bin: a /user-alone
COPY --chown=1000: a /id-alone
COPY --link --chown=1000:1000 --chmod=644 a /linked
COPY --link --chown=root:root --chmod=644 a /linked-root
`,
	},
	{name: "base of three spellings", dockerfile: "FROM alpine\nFROM docker.io/library/alpine:latest\nFROM alpine:latest AS c\nCOPY --from=0 / /\nCOPY --from=1 / /\n"},
}

// refusedFiles are files that BuildKit refuses, whatever is asked but its targets.
var refusedFiles = []plainFile{
	{name: "empty"},
	{name: "blank", dockerfile: "\n \n"},
	{name: "only a byte-order mark", dockerfile: "\ufeff"},
	{name: "only args", dockerfile: "ARG X\n"},
	{name: "unterminated heredoc", dockerfile: "FROM alpine\nRUN <<EOF\nRUN --if=DEBUG x\n"},
	{name: "numeric reference out of range", dockerfile: "FROM scratch\nCOPY --from=7 / /\n"},
	{name: "unknown target", opts: map[string]string{"target": "mdi"}, dockerfile: "FROM alpine AS mid\nRUN a\n"},
	{name: "missing SBOM generator", opts: map[string]string{"attest:sbom": "generator=missing"}, dockerfile: "FROM alpine\n"},
	{name: "checks that fail", dockerfile: "# check=error=true\nfrom alpine as A\nCMD x\n"},
	{name: "invalid check directive", dockerfile: "# check=skip=all;x\nFROM alpine\n"},
	{name: "directive twice", dockerfile: "# escape=`\n# escape=`\nFROM alpine\n"},
	{name: "invalid escape", dockerfile: "# escape=x\nFROM alpine\n"},
	{name: "missing base", dockerfile: "FROM alpine AS good\nFROM misssing AS bad\nFROM missing\nRUN x\n"},
	{name: "unknown instruction", dockerfile: "FROM alpine\nRUN a\nIMPORT x\n"},
	{name: "unknown flag", dockerfile: "FROM alpine\nRUN --netwrk=none a\n"},
	{name: "escape in a reference", dockerfile: "FROM alpine\nFROM alpine AS b\nCOPY --from='a\\\\b' / /\n"},
	{name: "instruction before FROM", dockerfile: "RUN a\nFROM alpine\n"},
	{name: "empty base", dockerfile: "ARG X\nFROM $X\n"},
	{name: "invalid platform", dockerfile: "FROM --platform=a/b/c/d alpine\n"},
	{name: "words of FROM", dockerfile: "FROM alpine AS\n"},
	{name: "stage name", dockerfile: "FROM alpine AS é\n"},
	{name: "itself", dockerfile: "FROM alpine AS a\nCOPY --from=a / /\n"},
	{name: "line too long", dockerfile: "FROM alpine\nRUN " + longLine + "\n"},
	{name: "missing file", opts: map[string]string{"filename": "other.Dockerfile"}, dockerfile: "FROM alpine\n"},
	{name: "invalid option", opts: map[string]string{"ulimit": "x"}, dockerfile: "FROM alpine\n"},
	{name: "linked copy for a named user", dockerfile: "FROM alpine\nRUN a\nCOPY --link --chown=1000:bin a /\n"},
	{name: "capability", opts: map[string]string{"frontend.caps": "moby.buildkit.frontend.inputs,none"}, dockerfile: "FROM alpine\n"},
	{name: "capability to forward for", opts: map[string]string{"frontend.caps": "none+forward"}, dockerfile: "FROM alpine\n"},
}
