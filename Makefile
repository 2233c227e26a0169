# The front door: `make run` and `make test` do everything on a fresh machine; `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

CARGO ?= cargo
NPM ?= npm
# Not `npm ci`: it refuses a lock file without the optional packages of platforms that a registry
# does not carry. The versions are those of the lock file all the same.
NPM_INSTALL := install --no-save --no-audit --no-fund
# Words behind the command that is run: make run ARGS="--port 8080 -- htop"
ARGS ?=

TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
WEB_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' -not -path 'web/dist/*' -not -path 'web/test-results/*' 2>/dev/null)
ORACLE := crates/hither-screen/oracle

.PHONY: help
help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## Run

.PHONY: run
run: build ## Build everything, start the gateway, print the address to open (ARGS="-- htop")
	@exec $(TARGET_DIR)/release/hither serve $(ARGS)

.PHONY: build
build: web ## Build the web client and the release program
	$(CARGO) build --release --locked --package hither

.PHONY: web
web: web/node_modules/.built ## Build the web client into web/dist

web/node_modules/.built: web/node_modules/.installed $(WEB_SOURCES)
	cd web && $(NPM) run --silent build
	@touch $@

web/node_modules/.installed: web/package-lock.json | tools
	cd web && $(NPM) $(NPM_INSTALL)
	@touch $@

$(ORACLE)/node_modules/.installed: $(ORACLE)/package-lock.json | tools
	cd $(ORACLE) && $(NPM) $(NPM_INSTALL)
	@touch $@

## Check

.PHONY: test
test: ## Run every check and test, installing what they need; the last lines say what ran
	@scripts/test.sh

.PHONY: tools
tools:
	@scripts/prerequisites.sh tools

.PHONY: prerequisites
prerequisites: ## Install what the tests need, when this user may
	@scripts/prerequisites.sh tests

.PHONY: fmt
fmt: web/node_modules/.installed ## Format Rust and TypeScript
	$(CARGO) fmt --all
	cd web && $(NPM) run --silent format

.PHONY: fmt-check
fmt-check: ## Check the format of Rust (that of TypeScript is part of lint-web)
	$(CARGO) fmt --all --check

.PHONY: lint
lint: lint-rust lint-web ## Lint Rust and TypeScript, warnings are errors

# With what the feature otel adds; the tests compile what is there without it.
.PHONY: lint-rust
lint-rust: web
	$(CARGO) clippy --workspace --all-targets --features hither/otel --locked -- -D warnings

# The whole workspace, of which only one program of tests is built: so the libraries are those of
# test-rust.
.PHONY: test-otel
test-otel: web ## Test the sending of spans, which only the feature otel builds
	$(CARGO) test --workspace --features hither/otel --locked --test cli traces::

.PHONY: lint-web
lint-web: web/node_modules/.installed
	cd web && $(NPM) run --silent check && $(NPM) run --silent lint

.PHONY: tidy
tidy: ## Check sizes, names, dependency edges, documents and lint bans (also part of test-rust)
	$(CARGO) xtask tidy

.PHONY: doc
doc: ## Build the documentation of all crates, warnings are errors
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" $(CARGO) doc --workspace --no-deps --locked --document-private-items

.PHONY: deny
deny: ## Check licences, sources, bans and advisories of dependencies (needs cargo-deny)
	$(CARGO) deny check

# Advisories are a repository of their own, which a test run should not have to reach.
.PHONY: deny-offline
deny-offline:
	$(CARGO) deny check bans licenses sources

.PHONY: test-rust
test-rust: export HITHER_REQUIRE_ORACLE = 1
test-rust: web $(if $(wildcard $(ORACLE)/package.json),$(ORACLE)/node_modules/.installed) ## Run the Rust tests and doctests
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
	  $(CARGO) nextest run --workspace --locked && $(CARGO) test --workspace --locked --doc; \
	else \
	  $(CARGO) test --workspace --locked; \
	fi

# The browser, looked up when the tests run: `make test` may just have installed it.
test-web test-e2e examples: export CHROMIUM ?= $(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name))))

.PHONY: test-web
test-web: web ## Run the unit tests of the web client, and its pages in Chromium
	cd web && $(NPM) run --silent test && $(NPM) run --silent test:pages

.PHONY: test-e2e
test-e2e: web ## Run the web client in Chromium against a real gateway
	$(CARGO) build --locked --package hither
	cd web && HITHER_BIN="$(abspath $(TARGET_DIR))/debug/hither" $(NPM) run --silent e2e

.PHONY: examples
examples: web ## Try the examples of docs/deploy.md with those of nginx, Caddy and systemd that are there
	$(CARGO) build --locked --package hither
	@scripts/examples.sh "$(abspath $(TARGET_DIR))/debug/hither"

## Prove

# `make test` runs the short forms of all of these.
.PHONY: chaos
chaos: ## Kill the gateway 300 times under floods and check every byte
	$(CARGO) test --locked --package hither --test proof -- --nocapture --test-threads 1 chaos::

.PHONY: chaos-long
chaos-long: export HITHER_KILLS = 3000
chaos-long: export HITHER_LONG = 1
chaos-long: export HITHER_SWEEP = long
chaos-long: ## The long forms: 3,000 kills, 1 GB floods, kills at every call of longer runs
	$(CARGO) test --locked --package hither --test proof -- --nocapture --test-threads 1

.PHONY: sim
sim: ## Simulate sessions and viewers with 5,000 seeds (HITHER_SEEDS=N)
	HITHER_SEEDS=$${HITHER_SEEDS:-5000} $(CARGO) test --locked --package hither-core --test simulation -- --nocapture

# Coverage feedback is an unstable flag of the compiler, which the stable one takes when told so.
.PHONY: fuzz
fuzz: export RUSTC_BOOTSTRAP = 1
fuzz: ## Try every decoder with random bytes, 60 s each (FUZZ_SECONDS=N; needs cargo-fuzz)
	$(CARGO) fuzz build
	set -e; for target in $$($(CARGO) fuzz list); do \
	  echo "=== $$target"; mkdir -p fuzz/corpus/$$target; \
	  $(CARGO) fuzz run $$target fuzz/corpus/$$target testdata/fuzz/$$target -- \
	    -max_total_time=$${FUZZ_SECONDS:-60} -timeout=1 -rss_limit_mb=512 -max_len=8192; \
	done

.PHONY: guarantees
guarantees: ## Run the tests that docs/reliability.md names and write its table from what passed
	@mkdir -p $(TARGET_DIR)
	$(CARGO) nextest run --workspace --locked --color never --no-fail-fast -E "$$($(CARGO) xtask guarantees --tests)" 2>&1 \
	  | tee $(TARGET_DIR)/guarantees.txt || true
	$(CARGO) xtask guarantees < $(TARGET_DIR)/guarantees.txt

.PHONY: openapi
openapi: ## Write the description of the API, docs/openapi.json, anew from the code
	HITHER_WRITE_OPENAPI=1 $(CARGO) test --locked --package hither-server --test http openapi::

.PHONY: api-fuzz
api-fuzz: ## Try the whole API with schemathesis (ARGS="--max-examples 1000"); installs it into target/
	$(CARGO) build --locked --package hither
	scripts/api-fuzz.sh $(TARGET_DIR)/debug/hither $(ARGS)

## Measure

BENCH = $(TARGET_DIR)/release/hither bench
# What a limit or a round that fails says stands in the report, and the next one is still measured.
report = --html $(TARGET_DIR)/$(1).html --json $(TARGET_DIR)/$(1).json $(ARGS) || test $$? -eq 1

.PHONY: bench
bench: build ## Measure everything beside the physical floor and leave three reports (ARGS="--quick")
	$(BENCH) all $(call report,bench)
	$(BENCH) ctrl-c --reader 0 --link rtt=200ms,rate=1mbit $(call report,bench-link)
	$(BENCH) plan $(call report,bench-plan)
	@echo "Reports: $(TARGET_DIR)/bench.html, bench-link.html and bench-plan.html beside it"

.PHONY: bench-smoke
bench-smoke: build ## Compare with the budget, in less than two minutes
	$(BENCH) smoke --budget crates/hither-bench/budget.json $(ARGS)

## Clean

.PHONY: clean
clean: ## Remove everything that was built or installed here
	$(CARGO) clean
	rm -rf web/dist web/node_modules $(ORACLE)/node_modules
