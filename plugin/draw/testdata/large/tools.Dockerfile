# syntax=stagebuild/stagebuild:1
# platforms=linux/amd64,linux/arm64,linux/riscv64
# Thirty stages: command line tools in three languages, tested, in one image.
ARG DEBUG=0
ARG LIBC=glibc

# The tools that are made from source.
FROM --if='LIBC == "musl"' alpine:3.22 AS base
RUN apk add --no-cache ca-certificates
FROM --for=linux/riscv64 debian:sid-slim AS base
FROM debian:12-slim AS base

FROM --platform=$BUILDPLATFORM golang:1.26 AS go
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download

FROM go AS fetch
ARG TARGETOS TARGETARCH
RUN --mount=target=. GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /out/fetch ./cmd/fetch

FROM go AS pack
ARG TARGETOS TARGETARCH
RUN --mount=target=. GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /out/pack ./cmd/pack

FROM go AS sign
ARG TARGETOS TARGETARCH
RUN --mount=target=. GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /out/sign ./cmd/sign

FROM go AS serve
ARG TARGETOS TARGETARCH
RUN --mount=target=. GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /out/serve ./cmd/serve

FROM --platform=$BUILDPLATFORM rust:1.90 AS rust
RUN rustup target add x86_64-unknown-linux-musl

FROM --for=linux/riscv64 rust AS cross
RUN rustup target add riscv64gc-unknown-linux-gnu
FROM rust AS cross
RUN rustup target add aarch64-unknown-linux-musl

FROM cross AS index
RUN --mount=target=. cargo build --release --bin index

FROM cross AS match
RUN --mount=target=. cargo build --release --bin match

FROM cross AS rank
RUN --mount=target=. cargo build --release --bin rank

FROM node:24-slim AS node
WORKDIR /web
COPY web/package.json .
RUN npm ci

FROM node AS web
RUN --mount=type=bind,from=fetch::$BUILDPLATFORM,source=/out,target=/tools npm run build

FROM node AS docs
COPY docs /docs
RUN npm run docs

FROM go AS test-go
RUN --mount=target=. go test ./...

FROM cross AS test-rust
RUN --mount=target=. cargo test

FROM web AS test-web
RUN npm test

FROM go AS lint
COPY --from=rust /usr/local/cargo/bin/rustfmt /bin/rustfmt
RUN --mount=target=. golangci-lint run

FROM base AS tools
COPY --from=fetch /out/fetch /bin/fetch
COPY --from=pack /out/pack /bin/pack
COPY --from=sign /out/sign /bin/sign
COPY --from=index /src/target/release/index /bin/index
COPY --from=match /src/target/release/match /bin/match
COPY --from=rank /src/target/release/rank /bin/rank

FROM tools AS debug
RUN --if='LIBC == "musl"' apk add gdb
RUN --if='LIBC != "musl"' apt-get install -y gdb

FROM --if=DEBUG debug AS full
FROM tools AS full

FROM full AS site
COPY --from=web /web/dist /srv
COPY --from=docs /docs/out /srv/docs

FROM scratch AS sbom
COPY --from=go /src/go.sum /go.sum
COPY --from=rust /usr/local/cargo/registry /registry

FROM scratch AS manifests
COPY --from=sign::$BUILDPLATFORM /out/sign /sign
COPY --from=sbom / /sbom

FROM --needs=test-go,test-rust,test-web,lint site AS server
COPY --from=serve /out/serve /bin/serve
ENTRYPOINT ["serve"]

FROM server AS release
COPY --from=manifests / /manifests
