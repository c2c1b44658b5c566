# syntax=stagebuild/stagebuild:1
# platforms=linux/amd64,linux/arm64,linux/riscv64,windows/amd64
# A hundred stages: a toolchain that builds itself, packages upon it, images of them.
ARG PROFILE=release
ARG STRIP=1
ARG HARDENED=0

FROM --platform=$BUILDPLATFORM debian:12 AS host
RUN apt-get update && apt-get install -y gcc make

FROM host AS stage0
RUN make stage0

FROM stage0 AS stage1
RUN make stage1

FROM stage1 AS stage2
COPY --from=stage0 /out /reference
RUN make stage2

FROM --for=windows stage2 AS sysroot
RUN make sysroot-mingw
FROM --for=linux/riscv64 stage2 AS sysroot
RUN make sysroot-lp64d
FROM stage2 AS sysroot
RUN make sysroot

FROM --if=HARDENED sysroot AS cc
RUN make cc CFLAGS=-fcf-protection
FROM sysroot AS cc
RUN make cc

FROM cc AS build-zlib
RUN --if='PROFILE == "debug"' make zlib CFLAGS=-g
RUN --if='PROFILE != "debug"' make zlib

FROM build-zlib AS check-zlib
RUN make check-zlib

FROM --for=windows cc AS build-bzip2
RUN make bzip2 HOST=mingw
FROM cc AS build-bzip2
RUN --if='PROFILE == "debug"' make bzip2 CFLAGS=-g
RUN --if='PROFILE != "debug"' make bzip2

FROM build-bzip2 AS check-bzip2
RUN make check-bzip2

FROM cc AS build-xz
RUN --if='PROFILE == "debug"' make xz CFLAGS=-g
RUN --if='PROFILE != "debug"' make xz

FROM build-xz AS check-xz
RUN make check-xz

FROM cc AS build-lz4
RUN --if='PROFILE == "debug"' make lz4 CFLAGS=-g
RUN --if='PROFILE != "debug"' make lz4

FROM build-lz4 AS check-lz4
RUN make check-lz4

FROM cc AS build-zstd
RUN --if='PROFILE == "debug"' make zstd CFLAGS=-g
RUN --if='PROFILE != "debug"' make zstd

FROM build-zstd AS check-zstd
RUN make check-zstd

FROM --for=windows cc AS build-ncurses
RUN make ncurses HOST=mingw
FROM cc AS build-ncurses
RUN --if='PROFILE == "debug"' make ncurses CFLAGS=-g
RUN --if='PROFILE != "debug"' make ncurses

FROM build-ncurses AS check-ncurses
RUN make check-ncurses

FROM --for=windows cc AS build-openssl
RUN make openssl HOST=mingw
FROM cc AS build-openssl
COPY --from=build-zlib /out /deps
RUN --if='PROFILE == "debug"' make openssl CFLAGS=-g
RUN --if='PROFILE != "debug"' make openssl

FROM build-openssl AS check-openssl
RUN make check-openssl

FROM cc AS build-readline
COPY --from=build-ncurses /out /deps
RUN --if='PROFILE == "debug"' make readline CFLAGS=-g
RUN --if='PROFILE != "debug"' make readline

FROM build-readline AS check-readline
RUN make check-readline

FROM cc AS build-libffi
RUN --if='PROFILE == "debug"' make libffi CFLAGS=-g
RUN --if='PROFILE != "debug"' make libffi

FROM build-libffi AS check-libffi
RUN make check-libffi

FROM cc AS build-sqlite
COPY --from=build-readline /out /deps
COPY --from=build-zlib /out /deps
RUN --if='PROFILE == "debug"' make sqlite CFLAGS=-g
RUN --if='PROFILE != "debug"' make sqlite

FROM build-sqlite AS check-sqlite
RUN make check-sqlite

FROM --for=windows cc AS build-expat
RUN make expat HOST=mingw
FROM cc AS build-expat
COPY --from=build-xz /out /deps
RUN --if='PROFILE == "debug"' make expat CFLAGS=-g
RUN --if='PROFILE != "debug"' make expat

FROM build-expat AS check-expat
RUN make check-expat

FROM cc AS build-pcre
COPY --from=build-bzip2 /out /deps
COPY --from=build-zlib /out /deps
RUN --if='PROFILE == "debug"' make pcre CFLAGS=-g
RUN --if='PROFILE != "debug"' make pcre

FROM build-pcre AS check-pcre
RUN make check-pcre

FROM cc AS build-curl
COPY --from=build-openssl /out /deps
COPY --from=build-zstd /out /deps
RUN --if='PROFILE == "debug"' make curl CFLAGS=-g
RUN --if='PROFILE != "debug"' make curl

FROM build-curl AS check-curl
RUN make check-curl

FROM cc AS build-git
COPY --from=build-curl /out /deps
COPY --from=build-expat /out /deps
COPY --from=build-pcre /out /deps
RUN --if='PROFILE == "debug"' make git CFLAGS=-g
RUN --if='PROFILE != "debug"' make git

FROM build-git AS check-git
RUN make check-git

FROM cc AS build-python
COPY --from=build-openssl /out /deps
COPY --from=build-sqlite /out /deps
COPY --from=build-libffi /out /deps
COPY --from=build-xz /out /deps
COPY --from=build-openssl::$BUILDPLATFORM /out /native
RUN --if='PROFILE == "debug"' make python CFLAGS=-g
RUN --if='PROFILE != "debug"' make python

FROM build-python AS check-python
RUN make check-python

FROM --for=windows cc AS build-ruby
RUN make ruby HOST=mingw
FROM cc AS build-ruby
COPY --from=build-openssl /out /deps
COPY --from=build-libffi /out /deps
COPY --from=build-readline /out /deps
COPY --from=build-openssl::$BUILDPLATFORM /out /native
RUN --if='PROFILE == "debug"' make ruby CFLAGS=-g
RUN --if='PROFILE != "debug"' make ruby

FROM build-ruby AS check-ruby
RUN make check-ruby

FROM cc AS build-perl
COPY --from=build-bzip2 /out /deps
COPY --from=build-bzip2::$BUILDPLATFORM /out /native
RUN --if='PROFILE == "debug"' make perl CFLAGS=-g
RUN --if='PROFILE != "debug"' make perl

FROM build-perl AS check-perl
RUN make check-perl

FROM cc AS build-tcl
COPY --from=build-zlib /out /deps
RUN --if='PROFILE == "debug"' make tcl CFLAGS=-g
RUN --if='PROFILE != "debug"' make tcl

FROM build-tcl AS check-tcl
RUN make check-tcl

FROM cc AS build-nginx
COPY --from=build-openssl /out /deps
COPY --from=build-pcre /out /deps
RUN --if='PROFILE == "debug"' make nginx CFLAGS=-g
RUN --if='PROFILE != "debug"' make nginx

FROM build-nginx AS check-nginx
RUN make check-nginx

FROM cc AS build-requests
COPY --from=build-python /out /deps
RUN --if='PROFILE == "debug"' make requests CFLAGS=-g
RUN --if='PROFILE != "debug"' make requests

FROM build-requests AS check-requests
RUN make check-requests

FROM cc AS build-flask
COPY --from=build-python /out /deps
RUN --if='PROFILE == "debug"' make flask CFLAGS=-g
RUN --if='PROFILE != "debug"' make flask

FROM build-flask AS check-flask
RUN make check-flask

FROM --for=windows cc AS build-rails
RUN make rails HOST=mingw
FROM cc AS build-rails
COPY --from=build-ruby /out /deps
COPY --from=build-sqlite /out /deps
RUN --if='PROFILE == "debug"' make rails CFLAGS=-g
RUN --if='PROFILE != "debug"' make rails

FROM build-rails AS check-rails
RUN make check-rails

FROM cc AS build-moose
COPY --from=build-perl /out /deps
RUN --if='PROFILE == "debug"' make moose CFLAGS=-g
RUN --if='PROFILE != "debug"' make moose

FROM build-moose AS check-moose
RUN make check-moose

FROM cc AS build-expect
COPY --from=build-tcl /out /deps
RUN --if='PROFILE == "debug"' make expect CFLAGS=-g
RUN --if='PROFILE != "debug"' make expect

FROM build-expect AS check-expect
RUN make check-expect

FROM cc AS build-modules
COPY --from=build-nginx /out /deps
RUN --if='PROFILE == "debug"' make modules CFLAGS=-g
RUN --if='PROFILE != "debug"' make modules

FROM build-modules AS check-modules
RUN make check-modules

FROM --for=windows mcr.microsoft.com/windows/nanoserver:ltsc2025 AS curl
COPY --from=build-curl /out /curl
FROM --needs=check-curl scratch AS curl
COPY --from=build-curl /out /

FROM --for=windows mcr.microsoft.com/windows/nanoserver:ltsc2025 AS git
COPY --from=build-git /out /git
FROM --needs=check-git scratch AS git
COPY --from=build-git /out /

FROM --for=windows mcr.microsoft.com/windows/nanoserver:ltsc2025 AS python
COPY --from=build-python /out /python
FROM --needs=check-python scratch AS python
COPY --from=build-python /out /

FROM --needs=check-ruby scratch AS ruby
COPY --from=build-ruby /out /

FROM --needs=check-perl scratch AS perl
COPY --from=build-perl /out /

FROM --needs=check-tcl scratch AS tcl
COPY --from=build-tcl /out /

FROM --needs=check-nginx scratch AS nginx
COPY --from=build-nginx /out /

FROM --needs=check-requests python AS requests
COPY --from=build-requests /out /opt/requests

FROM --needs=check-flask python AS flask
COPY --from=build-flask /out /opt/flask

FROM --needs=check-rails ruby AS rails
COPY --from=build-rails /out /opt/rails

FROM --needs=check-moose perl AS moose
COPY --from=build-moose /out /opt/moose

FROM --needs=check-expect tcl AS expect
COPY --from=build-expect /out /opt/expect

FROM --needs=check-modules nginx AS modules
COPY --from=build-modules /out /opt/modules

FROM --needs=check-zlib,check-bzip2,check-xz,check-lz4,check-zstd,check-ncurses,check-openssl,check-readline,check-libffi,check-sqlite,check-expat,check-pcre scratch AS libraries
COPY --from=build-zlib /out /
COPY --from=build-bzip2 /out /
COPY --from=build-xz /out /
COPY --from=build-lz4 /out /
COPY --from=build-zstd /out /
COPY --from=build-ncurses /out /
COPY --from=build-openssl /out /
COPY --from=build-readline /out /
COPY --from=build-libffi /out /
COPY --from=build-sqlite /out /
COPY --from=build-expat /out /
COPY --from=build-pcre /out /

FROM libraries AS shell
COPY --from=curl / /
RUN make shell

FROM libraries AS editor
COPY --from=git / /
RUN make editor

FROM libraries AS mailer
COPY --from=python / /
RUN make mailer

FROM libraries AS proxy
COPY --from=ruby / /
RUN make proxy

FROM libraries AS cache
COPY --from=perl / /
RUN make cache

FROM libraries AS queue
COPY --from=tcl / /
RUN make queue

FROM libraries AS metrics
COPY --from=nginx / /
RUN make metrics

FROM libraries AS logs
COPY --from=curl / /
RUN make logs

FROM libraries AS backup
COPY --from=git / /
RUN make backup

FROM libraries AS desktop
COPY --from=python / /
RUN make desktop

FROM libraries AS fonts
COPY --from=ruby / /
RUN make fonts

FROM libraries AS printer
COPY --from=perl / /
RUN make printer

FROM libraries AS scanner
COPY --from=tcl / /
RUN make scanner

FROM libraries AS sync
COPY --from=nginx / /
RUN make sync

FROM libraries AS tunnel
COPY --from=curl / /
RUN make tunnel

FROM libraries AS kiosk
COPY --from=git / /
RUN make kiosk

FROM --if=STRIP cc AS strip
RUN strip --version

FROM scratch AS distribution
COPY --from=requests / /
COPY --from=flask / /
COPY --from=rails / /
COPY --from=moose / /
COPY --from=expect / /
COPY --from=modules / /
COPY --from=shell / /
COPY --from=editor / /
COPY --from=mailer / /
COPY --from=proxy / /
COPY --from=cache / /
COPY --from=queue / /
COPY --from=metrics / /
COPY --from=logs / /
COPY --from=backup / /
COPY --from=desktop / /
COPY --from=fonts / /
COPY --from=printer / /
COPY --from=scanner / /
COPY --from=sync / /
COPY --from=tunnel / /
COPY --from=kiosk / /
COPY --if=STRIP --from=strip /etc/strip.conf /etc/
