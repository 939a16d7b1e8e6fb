# Thin: each line runs a tool that exists. CONTRIBUTING.md says what each target is for.

.PHONY: build install demo test lint fmt header generated bench fuzz sbom clean

LOCKED := $(if $(CI),--locked)
SETUP := .ci/setup.sh
TSC := node-binding/node_modules/.bin/tsc -p node-binding
ESLINT := .ci/lint/node_modules/.bin/eslint -c .ci/lint/eslint.config.mjs --max-warnings 0

# Crates outside the workspace, with a lock file of their own.
APART := $(wildcard tests/bench/Cargo.toml tests/fuzz/Cargo.toml)

# A full run goes into the README; try things with make bench BENCH="--quick".
BENCH := --readme

# Builds of core that have one part, or none.
FEATURES := none cluster compression regex tls values

# Where `make install` puts the C library.
PREFIX := /usr/local

# How long each fuzz target runs, in seconds.
FUZZ_SECONDS := 20

build:
	$(SETUP) rust node
	cargo build $(LOCKED) --release -p kraken-ws-library --features mimalloc
	node node-binding/scripts/build.mjs --profile release

# The C library alone; prints how to link it.
install:
	$(SETUP) rust
	cargo build $(LOCKED) --release -p kraken-ws-library --features mimalloc
	ffi/install.sh target/release $(PREFIX)

demo: build
	$(SETUP) demo
	$(TSC)/examples/nest-chat
	node node-binding/examples/nest-chat/dist/nest-chat/src/main.mjs

# Some suites only: make test SUITES="interop node"
test:
	$(SETUP) rust node test
	.ci/test.sh $(SUITES)

lint:
	$(SETUP) rust node lint
	cargo fmt --all --check
	$(foreach crate,$(APART),cargo fmt --all --manifest-path $(crate) --check &&) true
	cargo clippy $(LOCKED) --profile ci --workspace --all-targets -- -D warnings
	$(foreach features,$(FEATURES),cargo clippy $(LOCKED) --profile ci -p kraken-ws-core --no-default-features $(if $(filter none,$(features)),,--features $(features)) -- -D warnings &&) true
	cargo test $(LOCKED) --quiet --profile ci -p kraken-ws-core --no-default-features --lib without::
	.ci/deny.sh
	.ci/npm-audit.sh
	$(TSC) --noEmit
	$(ESLINT) node-binding tests
	cargo run $(LOCKED) --quiet --profile ci -p kraken-ws-ffi --example header -- --check
	cargo run $(LOCKED) --quiet --profile ci -p kraken-ws-core --example typescript -- --check

fmt:
	cargo fmt --all
	$(foreach crate,$(APART),cargo fmt --all --manifest-path $(crate) &&) true

header:
	cargo run --quiet -p kraken-ws-ffi --example header

generated:
	cargo run --quiet -p kraken-ws-core --example typescript

bench: build
	node tests/bench/run.mjs $(BENCH)

# Some targets only: make fuzz FUZZ="engine resp"
FUZZ = $(notdir $(basename $(wildcard tests/fuzz/fuzz_targets/*.rs)))

# cargo-fuzz asks the compiler for what only nightly gives unasked. New inputs stay in tests/fuzz/corpus.
fuzz: export RUSTC_BOOTSTRAP := 1
fuzz:
	$(SETUP) rust fuzz
	set -e; for target in $(FUZZ); do \
	  echo "== $$target"; \
	  mkdir -p tests/fuzz/corpus/$$target; \
	  cargo fuzz run --fuzz-dir tests/fuzz $$target tests/fuzz/corpus/$$target tests/fuzz/seeds/$$target -- \
	    -max_total_time=$(FUZZ_SECONDS) -max_len=4096; \
	done

# What a release is made of.
sbom:
	$(SETUP) rust node sbom
	.ci/sbom.sh

clean:
	cargo clean
	rm -rf node-binding/dist node-binding/*.node
