# Every target works alone, on a machine with Go and make. Other tools are built
# or downloaded once, into the user's cache.

# A pipe fails with any of its commands.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN := bin
TOOLS := .cache/bin
FUZZTIME ?= 1m
# How often a benchmark runs: benchstat wants at least 6.
COUNT ?= 6
DOCKER_CONFIG ?= $(HOME)/.docker
PREFIX := $(DOCKER_CONFIG)/cli-plugins
# The programs that the integration tests run.
TEST_TOOLS := buildctl docker docker-buildx $(if $(filter Linux,$(shell uname -s)),buildkitd)
# The programs that the tests with Docker Engines run besides those.
ENGINE_TOOLS := $(if $(filter Linux,$(shell uname -s)),dockerd containerd containerd-shim-runc-v2 runc)
# The packages below integration whose tests need no daemon: the tools of make lint.
LINTERS := ./integration/doccheck ./integration/modcheck ./integration/words
UNIT = $$(go list ./... | grep -v /integration/) $(LINTERS)
# The other packages, except those of test-engines and test-release.
INTEGRATION = $$(go list ./integration/... | grep -vE '/integration/(doccheck|engines|modcheck|release|words)$$')
# The race detector needs cgo, and so a C compiler.
RACE = $(shell command -v $$(go env CC) > /dev/null && echo -race)
# The examples in Go, each a module of its own, and the command for their tests.
EXAMPLES := $(patsubst %/go.mod,%,$(wildcard examples/*/go.mod))
TEST_EXAMPLES = @for dir in $(EXAMPLES); do (cd $$dir && go test ./...); done
# Without shellcheck and pyflakes, which it would use if they are installed.
ACTIONLINT := $(TOOLS)/actionlint -shellcheck= -pyflakes=
# All programs and tests are compiled with the flags of the toolchain package, so
# that a package is compiled once for all of them: static, without this machine's
# paths, and without debug information, which -ldflags=-s would drop.
export CGO_ENABLED := 0
export GOFLAGS := $(GOFLAGS) -trimpath -gcflags=all=-dwarf=false
# With the commit, whatever GOFLAGS was.
GOBUILD := go build -buildvcs=auto -ldflags="-s -w"

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/docker-stagebuild and bin/stagebuild-frontend
	mkdir -p $(BIN)
	$(GOBUILD) -o $(BIN)/ ./cmd/...

$(BIN)/docker-stagebuild: FORCE
	$(GOBUILD) -o $(BIN)/ ./cmd/docker-stagebuild

FORCE:

.PHONY: install
install: build ## install the plugin for the docker CLI
	mkdir -p "$(PREFIX)"
	install -m 755 $(BIN)/docker-stagebuild "$(PREFIX)/docker-stagebuild"
	@echo "installed $(PREFIX)/docker-stagebuild: try 'docker stagebuild version'"

.PHONY: demo
demo: $(BIN)/docker-stagebuild ## show the plugin with an example: list, explain, draw, build for two platforms, run
	go run ./integration/demo

.PHONY: test
test: unit integration ## run all tests but test-engines and test-release

.PHONY: unit
unit: ## run the tests that need no daemon, with the race detector if there is a C compiler
	@[[ -n "$(RACE)" ]] || echo "no C compiler ($$(go env CC)): the tests run without the race detector" >&2
	CGO_ENABLED=$(if $(RACE),1,0) go test -timeout 20m $(RACE) $(UNIT)
	$(TEST_EXAMPLES)

.PHONY: integration
integration: ## run the tests against a real BuildKit, but those of test-release
	@# Built before the tests: these minutes do not count for their time limit.
	go run ./integration/mktools -o $(TOOLS) $(TEST_TOOLS)
	@# Go's test cache does not see the binaries, daemons and images.
	go test -count=1 -timeout 30m $(INTEGRATION)

.PHONY: test-engines
test-engines: ## run the tests against real Docker Engines, which are built first
	go run ./integration/mktools -o $(TOOLS) $(TEST_TOOLS) $(ENGINE_TOOLS)
	@# One for each engine, also on a small machine, because the tests mostly wait.
	go test -count=1 -parallel 3 -timeout 30m ./integration/engines

.PHONY: test-release
test-release: ## build the image, binaries and release files with our Dockerfile and docker-bake.hcl
	go run ./integration/mktools -o $(TOOLS) $(TEST_TOOLS)
	@# Minutes the first time: the plugin is compiled for six platforms.
	go test -count=1 -timeout 60m -v ./integration/release

.PHONY: docs
docs: ## write the reference of the command line, docs/cli, from the commands
	cd tools/docs && go mod tidy && go run . -source ../../docs/cli -target ../../docs/cli

.PHONY: lint
lint: $(TOOLS)/golangci-lint $(TOOLS)/actionlint ## check code, workflows, module files and documents
	@unformatted=$$(gofmt -l .); [[ -z $$unformatted ]] || { echo "not formatted: $$unformatted"; exit 1; }
	go vet ./...
	$(TOOLS)/golangci-lint run ./...
	cd tools/docs && go vet . && ../../$(TOOLS)/golangci-lint run .
	go mod tidy -diff
	@for dir in tools tools/actions tools/docs tools/engine tools/lint $(EXAMPLES); do (cd $$dir && go mod tidy -diff); done
	@for dir in $(EXAMPLES); do (cd $$dir && go vet ./...); done
	$(ACTIONLINT)
	@# Each workflow of the document, in a file named after the line that it begins on.
	@workflows=$$(mktemp -d); trap 'rm -r "$$workflows"' EXIT; \
		awk -v dir="$$workflows" '/^```yaml/ { file = dir "/matrix.md:" FNR + 1; next } /^```/ { file = "" } file { print > file }' docs/matrix.md; \
		$(ACTIONLINT) "$$workflows"/*
	go run ./integration/modcheck
	go run ./integration/doccheck
	go run ./integration/words -added
	@pages=$$(mktemp -d); trap 'rm -r "$$pages"' EXIT; \
		(cd tools/docs && go run . -source ../../docs/cli -target "$$pages"); \
		diff -ru docs/cli "$$pages" || { echo "docs/cli differs from the help of the commands; run make docs"; exit 1; }

.PHONY: words
words: ## count words that make comments hard to read, by package
	go run ./integration/words

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (1m)
	@for pkg in $$(go list ./frontend/...); do \
		for name in $$(go test -list '^Fuzz' $$pkg | { grep '^Fuzz' || true; }); do \
			echo "fuzzing $$pkg $$name for $(FUZZTIME)"; \
			go test $$pkg -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x; \
		done; \
	done

.PHONY: bench
bench: $(TOOLS)/benchstat ## run the benchmarks and summarize them
	mkdir -p .cache
	go test -run '^$$' -bench . -benchmem -count $(COUNT) $(UNIT) | tee .cache/bench.txt
	$(TOOLS)/benchstat .cache/bench.txt

.PHONY: bench-builds
bench-builds: $(TOOLS)/benchstat ## time whole builds beside buildx's, on a quiet machine
	mkdir -p .cache
	go test ./integration/buildx -run '^$$' -bench . -benchtime 5x -count $(COUNT) -timeout 1h | tee .cache/bench-builds.txt
	$(TOOLS)/benchstat .cache/bench-builds.txt

.PHONY: tools
tools: ## build the tools of the tests and linters into .cache/bin
	go run ./integration/mktools -o $(TOOLS)

$(TOOLS)/golangci-lint: tools/lint/go.mod tools/lint/go.sum
	go run ./integration/mktools -o $(TOOLS) golangci-lint

$(TOOLS)/actionlint: tools/actions/go.mod tools/actions/go.sum
	go run ./integration/mktools -o $(TOOLS) actionlint

$(TOOLS)/%: tools/go.mod tools/go.sum
	go run ./integration/mktools -o $(TOOLS) $*

.PHONY: clean
clean: ## remove bin and .cache (the user's cache stays)
	rm -rf $(BIN) .cache
