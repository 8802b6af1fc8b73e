# Two commands: `make run` and `make test`. What they fetch and build is kept outside of the clone.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/skua
export CARGO_TARGET_DIR ?= $(CACHE)/target
# Integration tests mostly wait for servers, so more of them run side by side than there are cores.
TEST_THREADS ?= 4
# A backtrace of an asynchronous test is long and says little; the failures name what they waited for.
integration-test: export RUST_BACKTRACE = 0
# Picks integration tests by name: make integration-test ONLY=crash
ONLY ?=

.DEFAULT_GOAL := help
.PHONY: help run test lint unit-test integration-test bench fuzz

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

run: ## build Skua and start it: OTLP on 4317 and 4318, the queries on 16686
	./scripts/setup.sh run
	cargo build --release --locked -p skua
	exec "$(CARGO_TARGET_DIR)/release/skua" all-in-one --log-encoding=console $(ARGS)

# Cargo's commands all take the whole workspace and all targets, so that they agree on the features of each library and
# none of them compiles again what another has compiled.
test: ## formatting, lints, unit tests, integration tests against real servers
	./scripts/setup.sh test
	$(MAKE) lint
	$(MAKE) unit-test
	$(MAKE) integration-test

lint: ## formatting and lints
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

unit-test: ## all tests that need no server
	./scripts/run-tests.sh cargo test --workspace --locked --no-fail-fast --exclude skua-integration-tests

integration-test: ## the real binary beside real Kafka, Elasticsearch, Cassandra; ONLY=name for some, TEST_THREADS=4
	./scripts/setup.sh test
	cargo build --workspace --locked --all-targets
	./scripts/run-tests.sh "$(CARGO_TARGET_DIR)/debug/with-servers" \
		cargo test --workspace --locked --test pipeline --test clients --test real -- --test-threads=$(TEST_THREADS) $(ONLY)

bench: ## measure throughput, CPU and memory
	./bench/run.sh

# Seconds for each target, and which: make fuzz SECONDS=60 TARGETS="otlp_json thrift_batch"
SECONDS ?= 600
TARGETS ?=

fuzz: ## fuzz every decoder for SECONDS=600 each; TARGETS="name name" for some
	./fuzz/run.sh $(SECONDS) $(TARGETS)
