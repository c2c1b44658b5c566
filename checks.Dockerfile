# What checks this repository, apart from what builds it: BuildKit before 0.26 does not
# know RUN --security, and reads no file that has it.
ARG GO_VERSION=1.26

# The tests compile a BuildKit of their own, and take runc and busybox from Debian.
FROM golang:${GO_VERSION}-bookworm AS check
WORKDIR /src
COPY . .

FROM check AS lint
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache \
    make lint

FROM check AS test
RUN --security=insecure \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache \
    --mount=type=tmpfs,target=/tmp \
    make test
