ARG GO_VERSION=1.26

# The toolchain and the modules, on the build machine's own platform: both
# programs are cross-compiled, with the flags of the Makefile: static, without the
# paths of this machine, and without debug information, which -s would drop.
FROM --platform=$BUILDPLATFORM golang:${GO_VERSION}-alpine AS base
WORKDIR /src
# Where modules come from, if not from Go's own proxy.
ARG GOPROXY
ENV CGO_ENABLED=0 GOFLAGS="-trimpath -gcflags=all=-dwarf=false"
RUN --mount=type=bind,source=go.mod,target=go.mod \
    --mount=type=bind,source=go.sum,target=go.sum \
    --mount=type=cache,target=/go/pkg/mod \
    go mod download

FROM base AS build-frontend
ARG TARGETOS TARGETARCH TARGETVARIANT
RUN --mount=type=bind,target=. \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH GOARM=${TARGETVARIANT#v} \
    go build -ldflags "-s -w" -o /out/ ./cmd/stagebuild-frontend

FROM base AS base-plugin
ARG VERSION REVISION
ARG INFO=github.com/stagebuild/stagebuild/plugin/buildinfo
ENV LDFLAGS="-s -w -X $INFO.version=$VERSION -X $INFO.commit=$REVISION"

FROM base-plugin AS build-plugin
ARG TARGETOS TARGETARCH TARGETVARIANT
RUN --mount=type=bind,target=. \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH GOARM=${TARGETVARIANT#v} \
    go build -ldflags "$LDFLAGS" -o /out/ ./cmd/docker-stagebuild

# The plugin's binary.
FROM scratch AS plugin
COPY --from=build-plugin /out/docker-stagebuild* /

FROM base-plugin AS build-release
ARG PLATFORMS
RUN --mount=type=bind,target=. \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    set -e; \
    for platform in $PLATFORMS; do \
        export GOOS=${platform%/*} GOARCH=${platform#*/}; \
        go build -ldflags "$LDFLAGS" -o "/out/docker-stagebuild-$GOOS-$GOARCH$(go env GOEXE)" ./cmd/docker-stagebuild; \
    done; \
    cd /out; \
    sha256sum * > SHA256SUMS

# The plugin's binaries for several platforms, with their checksums.
FROM scratch AS release
COPY --from=build-release /out/ /

# The frontend image, which "# syntax=" names.
FROM scratch AS image
LABEL moby.buildkit.frontend.network.none="true"
LABEL moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring,moby.buildkit.frontend.contexts.zstd"
COPY --from=build-frontend /out/stagebuild-frontend /bin/stagebuild-frontend
ENTRYPOINT ["/bin/stagebuild-frontend"]

FROM image
