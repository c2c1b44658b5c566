# syntax=stagebuild/stagebuild:1
# platforms=linux/amd64,linux/arm64
# Sixty stages: the services of a monorepo, each built, tested and put into an image.
ARG DEBUG=0
ARG RACE=0
ARG VARIANT=distroless

FROM --platform=$BUILDPLATFORM golang:1.26 AS toolchain
WORKDIR /src

FROM toolchain AS modules
COPY go.mod go.sum ./
RUN go mod download

FROM modules AS generate
COPY proto proto
RUN go generate ./...

FROM generate AS library
COPY internal internal
RUN go build ./internal/...

FROM --if=DEBUG debian:12 AS runtime
RUN apt-get update && apt-get install -y gdb
FROM --if='VARIANT == "alpine"' alpine:3.22 AS runtime
FROM gcr.io/distroless/static AS runtime

FROM debian:12-slim AS probe-arm
RUN --for=linux/arm64 apt-get install -y libatomic1

FROM runtime AS probes
COPY --for=linux/arm64 --from=probe-arm /usr/lib/libatomic.so.1 /usr/lib/

FROM library AS build-account
ARG TARGETARCH
COPY services/account services/account
RUN GOARCH=$TARGETARCH go build -o /out/account ./services/account

FROM build-account AS test-account
RUN --if=RACE go test -race ./services/account/...
RUN --if=!RACE go test ./services/account/...

FROM --needs=test-account probes AS account
COPY --from=build-account /out/account /account
ENTRYPOINT ["/account"]

FROM library AS build-billing
ARG TARGETARCH
COPY services/billing services/billing
RUN GOARCH=$TARGETARCH go build -o /out/billing ./services/billing

FROM build-billing AS test-billing
RUN --if=RACE go test -race ./services/billing/...
RUN --if=!RACE go test ./services/billing/...

FROM --needs=test-billing probes AS billing
COPY --from=build-billing /out/billing /billing
ENTRYPOINT ["/billing"]

FROM library AS build-cart
ARG TARGETARCH
COPY services/cart services/cart
COPY --from=build-billing::$BUILDPLATFORM /out/billing /usr/local/bin/
RUN GOARCH=$TARGETARCH go build -o /out/cart ./services/cart

FROM build-cart AS test-cart
RUN --if=RACE go test -race ./services/cart/...
RUN --if=!RACE go test ./services/cart/...

FROM --needs=test-cart probes AS cart
COPY --from=build-cart /out/cart /cart
ENTRYPOINT ["/cart"]

FROM library AS build-catalog
ARG TARGETARCH
COPY services/catalog services/catalog
RUN GOARCH=$TARGETARCH go build -o /out/catalog ./services/catalog

FROM build-catalog AS test-catalog
RUN --if=RACE go test -race ./services/catalog/...
RUN --if=!RACE go test ./services/catalog/...

FROM --needs=test-catalog probes AS catalog
COPY --from=build-catalog /out/catalog /catalog
ENTRYPOINT ["/catalog"]

FROM library AS build-checkout
ARG TARGETARCH
COPY services/checkout services/checkout
RUN GOARCH=$TARGETARCH go build -o /out/checkout ./services/checkout

FROM build-checkout AS test-checkout
RUN --if=RACE go test -race ./services/checkout/...
RUN --if=!RACE go test ./services/checkout/...

FROM --needs=test-checkout probes AS checkout
COPY --from=build-checkout /out/checkout /checkout
ENTRYPOINT ["/checkout"]

FROM library AS build-delivery
ARG TARGETARCH
COPY services/delivery services/delivery
RUN GOARCH=$TARGETARCH go build -o /out/delivery ./services/delivery

FROM build-delivery AS test-delivery
RUN --if=RACE go test -race ./services/delivery/...
RUN --if=!RACE go test ./services/delivery/...

FROM --needs=test-delivery probes AS delivery
COPY --from=build-delivery /out/delivery /delivery
ENTRYPOINT ["/delivery"]

FROM library AS build-gateway
ARG TARGETARCH
COPY services/gateway services/gateway
RUN GOARCH=$TARGETARCH go build -o /out/gateway ./services/gateway

FROM build-gateway AS test-gateway
RUN --if=RACE go test -race ./services/gateway/...
RUN --if=!RACE go test ./services/gateway/...

FROM --needs=test-gateway probes AS gateway
COPY --from=build-gateway /out/gateway /gateway
ENTRYPOINT ["/gateway"]

FROM library AS build-identity
ARG TARGETARCH
COPY services/identity services/identity
COPY --from=build-gateway::$BUILDPLATFORM /out/gateway /usr/local/bin/
RUN GOARCH=$TARGETARCH go build -o /out/identity ./services/identity

FROM build-identity AS test-identity
RUN --if=RACE go test -race ./services/identity/...
RUN --if=!RACE go test ./services/identity/...

FROM --needs=test-identity probes AS identity
COPY --from=build-identity /out/identity /identity
ENTRYPOINT ["/identity"]

FROM library AS build-inventory
ARG TARGETARCH
COPY services/inventory services/inventory
RUN GOARCH=$TARGETARCH go build -o /out/inventory ./services/inventory

FROM build-inventory AS test-inventory
RUN --if=RACE go test -race ./services/inventory/...
RUN --if=!RACE go test ./services/inventory/...

FROM --needs=test-inventory probes AS inventory
COPY --from=build-inventory /out/inventory /inventory
ENTRYPOINT ["/inventory"]

FROM library AS build-mail
ARG TARGETARCH
COPY services/mail services/mail
RUN GOARCH=$TARGETARCH go build -o /out/mail ./services/mail

FROM build-mail AS test-mail
RUN --if=RACE go test -race ./services/mail/...
RUN --if=!RACE go test ./services/mail/...

FROM --needs=test-mail probes AS mail
COPY --from=build-mail /out/mail /mail
ENTRYPOINT ["/mail"]

FROM library AS build-orders
ARG TARGETARCH
COPY services/orders services/orders
RUN GOARCH=$TARGETARCH go build -o /out/orders ./services/orders

FROM build-orders AS test-orders
RUN --if=RACE go test -race ./services/orders/...
RUN --if=!RACE go test ./services/orders/...

FROM --needs=test-orders probes AS orders
COPY --from=build-orders /out/orders /orders
ENTRYPOINT ["/orders"]

FROM library AS build-payment
ARG TARGETARCH
COPY services/payment services/payment
RUN GOARCH=$TARGETARCH go build -o /out/payment ./services/payment

FROM build-payment AS test-payment
RUN --if=RACE go test -race ./services/payment/...
RUN --if=!RACE go test ./services/payment/...

FROM --needs=test-payment probes AS payment
COPY --from=build-payment /out/payment /payment
ENTRYPOINT ["/payment"]

FROM library AS build-pricing
ARG TARGETARCH
COPY services/pricing services/pricing
COPY --from=build-payment::$BUILDPLATFORM /out/payment /usr/local/bin/
RUN GOARCH=$TARGETARCH go build -o /out/pricing ./services/pricing

FROM build-pricing AS test-pricing
RUN --if=RACE go test -race ./services/pricing/...
RUN --if=!RACE go test ./services/pricing/...

FROM --needs=test-pricing probes AS pricing
COPY --from=build-pricing /out/pricing /pricing
ENTRYPOINT ["/pricing"]

FROM library AS build-search
ARG TARGETARCH
COPY services/search services/search
RUN GOARCH=$TARGETARCH go build -o /out/search ./services/search

FROM build-search AS test-search
RUN --if=RACE go test -race ./services/search/...
RUN --if=!RACE go test ./services/search/...

FROM --needs=test-search probes AS search
COPY --from=build-search /out/search /search
ENTRYPOINT ["/search"]

FROM library AS build-stock
ARG TARGETARCH
COPY services/stock services/stock
RUN GOARCH=$TARGETARCH go build -o /out/stock ./services/stock

FROM build-stock AS test-stock
RUN --if=RACE go test -race ./services/stock/...
RUN --if=!RACE go test ./services/stock/...

FROM --needs=test-stock probes AS stock
COPY --from=build-stock /out/stock /stock
ENTRYPOINT ["/stock"]

FROM library AS build-web
ARG TARGETARCH
COPY services/web services/web
RUN GOARCH=$TARGETARCH go build -o /out/web ./services/web

FROM build-web AS test-web
RUN --if=RACE go test -race ./services/web/...
RUN --if=!RACE go test ./services/web/...

FROM --needs=test-web probes AS web
COPY --from=build-web /out/web /web
ENTRYPOINT ["/web"]

FROM generate AS lint
RUN go vet ./...

FROM alpine:3.22 AS migrations
COPY migrations /migrations

FROM --needs=lint scratch AS everything
COPY --from=account /account /account
COPY --from=billing /billing /billing
COPY --from=cart /cart /cart
COPY --from=catalog /catalog /catalog
COPY --from=checkout /checkout /checkout
COPY --from=delivery /delivery /delivery
COPY --from=gateway /gateway /gateway
COPY --from=identity /identity /identity
COPY --from=inventory /inventory /inventory
COPY --from=mail /mail /mail
COPY --from=orders /orders /orders
COPY --from=payment /payment /payment
COPY --from=pricing /pricing /pricing
COPY --from=search /search /search
COPY --from=stock /stock /stock
COPY --from=web /web /web
COPY --from=migrations /migrations /migrations
