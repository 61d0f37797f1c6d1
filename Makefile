# Everything here does its own set-up on a bare Debian machine that has Swift; nothing else is needed beforehand.
SHELL := /bin/bash
.DEFAULT_GOAL := help

SWIFT ?= swift
# What swift-format looks at; the packages' build directories are not ours.
SOURCES := $(wildcard Sources Tests Fuzz Chaos Conformance Snippets Package.swift Benchmarks/Benchmarks Benchmarks/Package.swift)
# What is built in beside the rest: SQLite keeps the history. TRAITS= builds without.
TRAITS ?= SQLite
export TRAITS
WITH_TRAITS := $(if $(strip $(TRAITS)),--traits $(strip $(TRAITS)))
# How often `make kill9` kills the service.
KILLS ?= 100
# How many random worlds `make replays` records and replays, on one line and on two.
REPLAYS ?= 60
# How many random plans `make chaos` runs.
PLANS ?= 1000
# How long `make soak` takes: 30m, 48h.
FOR ?= 30m
# Options after `make demo ARGS=…`, such as ARGS="--http-port 9000".
ARGS ?=
# How long each fuzzer runs (60s), or how many inputs it tries (10000000).
FUZZ ?= 60s

.PHONY: help setup demo run watch build test check lint format bench chaos kill9 replays soak fuzz conformance clean

help: ## Show what there is
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install the system packages that are missing (Debian and Ubuntu)
	@./.ci/setup

demo: setup ## Build and show the whole service against a simulated exchange, offline
	@# A debug build: it is there in a fraction of the time of a release build and carries the demo easily.
	$(SWIFT) build $(WITH_TRAITS) --product oddstream
	@# What it keeps is there again the next time.
	@.build/debug/oddstream demo --data .build/demo $(ARGS)

watch: setup ## Build and follow the real market in the terminal
	$(SWIFT) build $(WITH_TRAITS) --product oddstream
	@.build/debug/oddstream watch $(ARGS)

build: setup ## Build the program for use: .build/release/oddstream
	$(SWIFT) build $(WITH_TRAITS) -c release --product oddstream

test: setup ## Build and run all tests
	$(SWIFT) test $(WITH_TRAITS)

lint: ## Check the formatting
	$(SWIFT) format lint --strict --recursive $(SOURCES)

check: export ODDSTREAM_WARNINGS_AS_ERRORS = 1
check: lint test ## What CI runs: formatting, a build in which warnings are errors, all tests
	@:

format: ## Format all sources in place
	$(SWIFT) format --in-place --recursive $(SOURCES)

bench: setup ## Run the benchmarks
	$(SWIFT) package --package-path Benchmarks --disable-sandbox benchmark

chaos: setup ## Every fault with one line and two in real time, then a quiet day and PLANS=1000 random plans in virtual time
	ODDSTREAM_CHAOS=1 $(SWIFT) build $(WITH_TRAITS) -c release --product Chaos
	.build/release/Chaos matrix
	.build/release/Chaos day
	.build/release/Chaos plans $(PLANS)

kill9: setup ## Kill the service KILLS=100 times at random moments: nothing it told of its trades may be lost
	ODDSTREAM_KILLS=$(KILLS) $(SWIFT) test $(WITH_TRAITS) --filter KillRoundsTests

soak: build ## FOR=30m of random faults over real sockets: latency, spikes, uptime, recoveries, memory (ARGS= for more)
	.build/release/oddstream soak --simulated --for $(FOR) $(ARGS)

fuzz: setup ## Fuzz the decoder and the frame reader: FUZZ=60s or FUZZ=10000000
	./Fuzz/run.sh $(FUZZ)

conformance: setup ## Run the Autobahn WebSocket suite where it can be had
	./Conformance/run.sh

clean: ## Remove everything that was built
	rm -rf .build Benchmarks/.build
