# `make help` lists the targets. Everything that a target needs beside Go, make
# and a package manager is installed by the target itself.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules --no-print-directory

STATICCHECK_VERSION := v0.8.2

BIN := $(abspath bin)
GO ?= go
FUZZTIME ?= 30s
BASE ?= main
ARGS ?=

# Every module of the repository that exists: bench and the consumer have
# their own, so that nobody who imports the store inherits what they need.
MODULES := $(patsubst %/go.mod,%,$(wildcard ./go.mod bench/go.mod store/otel/go.mod testdata/consumer/go.mod))

# $(call each,command) runs a command in every module, also behind one that
# fails. It shows the module, so that a failure can be placed.
each = failed=0; for module in $(MODULES); do \
  echo "[$$module] $(1)"; (cd $$module && $(1)) || failed=1; done; exit $$failed

# What `make redis` and `make python` chose, for the processes that a target starts.
with_redis = if [ -f bin/redis.env ]; then . bin/redis.env; fi
with_python = if [ -f bin/python.env ]; then . bin/python.env; fi

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: all
all: generate build test ## Generate, build and test

.PHONY: redis
redis: ## Find or install Redis >= 7.0; prints which one was taken
	@deploy/redis.sh

.PHONY: jq
jq: ## Find or install jq, with which a test reads rows that are JSON
	@deploy/jq.sh

.PHONY: python
python: ## Find or install a Python with msgpack, another reader of our bytes
	@deploy/python.sh

.PHONY: generate
generate: ## Write the emitted code of every schema anew, and line numbers in pages
	@$(call each,$(GO) generate ./...)
	@$(GO) test ./docs -run TestReferences -update

.PHONY: check-generate
check-generate: ## Fail when emitted code is not what its schema gives
	@GO=$(GO) deploy/check-generate.sh $(MODULES)

.PHONY: build
build: ## Build every module
	@$(call each,$(GO) build ./...)

.PHONY: vet
vet: ## Run go vet on every module
	@$(call each,$(GO) vet ./...)

.PHONY: lint
lint: vet $(BIN)/staticcheck-$(STATICCHECK_VERSION) ## Run go vet, staticcheck and gofmt
	@$(call each,$(BIN)/staticcheck-$(STATICCHECK_VERSION) ./...)
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then \
	  echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi

.PHONY: test
test: redis jq check-generate lint ## Check freshness, lint, and test all modules with the race detector
	@$(with_redis); $(call each,$(GO) test -race -timeout 9m ./...)
	@$(with_redis); $(GO) test -run Allocs ./store; (cd testdata/consumer; $(GO) test -run Allocs .); cd bench; $(GO) test -run Gates . # the race detector allocates, too

.PHONY: test-long
test-long: redis jq python ## The tests with their long forms (NACRE_LONG=1): up to an hour
	@$(with_redis); export NACRE_LONG=1; $(GO) test -v -timeout 60m -run '^TestTorture$$' ./store
	@$(with_redis); $(with_python); export NACRE_LONG=1; $(call each,$(GO) test -race -timeout 90m ./...)

.PHONY: bench
bench: ## Does it keep p95 < 1 ms? A verdict in about 2 minutes (ARGS=-help: its flags)
	@deploy/bench.sh $(ARGS)

.PHONY: bench-quick
bench-quick: ## The same in 20 seconds, for a first look
	@deploy/bench.sh -quick $(ARGS)

.PHONY: bench-full
bench-full: ## The same with peers, 1M keys and a rate sweep
	@deploy/bench.sh -full $(ARGS)

.PHONY: bench-compare
bench-compare: ## This tree against BASE=<git ref>, interleaved
	@deploy/bench.sh -compare $(BASE)

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (30s)
	@GO=$(GO) FUZZTIME=$(FUZZTIME) deploy/fuzz.sh

.PHONY: clean
clean: ## Remove tools, reports and what tests left
	rm -rf bin bench/out
	$(GO) clean -testcache

# Tools are built from pinned versions. The version is part of the name, so
# that another version is another file.
$(BIN)/staticcheck-%:
	@mkdir -p $(BIN)
	GOFLAGS= GOBIN=$(BIN) $(GO) install honnef.co/go/tools/cmd/staticcheck@$*
	@mv $(BIN)/staticcheck $@
