# Thin: each line runs a tool that exists. CONTRIBUTING.md says what each target is for.

.PHONY: build packages install demo test lint fmt header generated docs docs-c bench fuzz sbom clean

LOCKED := $(if $(CI),--locked)
SETUP := .ci/setup.sh
TSC := node-binding/node_modules/.bin/tsc -p node-binding
ESLINT := .ci/lint/node_modules/.bin/eslint -c .ci/lint/eslint.config.mjs --max-warnings 0

# Crates outside the workspace, with a lock file of their own.
APART := $(wildcard tests/bench/Cargo.toml tests/fuzz/Cargo.toml)

# A full run goes into the README and docs/benchmarks.md; try things with make bench BENCH="--quick".
BENCH := --readme

# Builds of core that have one part, or none.
FEATURES := none cluster compression regex tls values

# Where `make install` puts the C library; LIBDIR and INCLUDEDIR are below PREFIX unless they are absolute.
PREFIX ?= /usr/local
LIBDIR ?= lib
INCLUDEDIR ?= include

# How long each fuzz target runs, in seconds.
FUZZ_SECONDS := 20

build:
	$(SETUP) rust node
	cargo build $(LOCKED) --release -p kraken-ws-library --features mimalloc
	node node-binding/scripts/build.mjs --profile release

# The npm packages of Linux: builds those that this machine can build, and tries each where it belongs.
# Some only: make packages PLATFORMS="linux-arm64-gnu"
packages:
	$(SETUP) rust node packages
	node node-binding/scripts/build.mjs --ts-only
	node node-binding/scripts/packages.mjs $(PLATFORMS)

# The C library alone; prints how to link it.
install:
	$(SETUP) rust
	cargo build $(LOCKED) --release -p kraken-ws-library --features mimalloc
	DESTDIR=$(DESTDIR) LIBDIR=$(LIBDIR) INCLUDEDIR=$(INCLUDEDIR) ffi/install.sh $(or $(CARGO_TARGET_DIR),target)/release $(PREFIX)

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
	cargo clippy $(LOCKED) --profile ci -p kraken-ws-codec -p kraken-ws-redis --no-default-features -- -D warnings
	cargo test $(LOCKED) --quiet --profile ci -p kraken-ws-core --no-default-features --lib absent
	.ci/deny.sh
	.ci/npm-audit.sh
	$(TSC) --noEmit
	$(ESLINT) node-binding tests
	node .ci/lint/workflows.mjs
	cargo run $(LOCKED) --quiet --profile ci -p kraken-ws-ffi --example header -- --check
	cargo run $(LOCKED) --quiet --profile ci -p kraken-ws-core --example generated -- --check
	$(MAKE) --no-print-directory docs

fmt:
	cargo fmt --all
	$(foreach crate,$(APART),cargo fmt --all --manifest-path $(crate) &&) true

header:
	cargo run --quiet -p kraken-ws-ffi --example header

generated:
	cargo run --quiet -p kraken-ws-core --example generated

# API reference from the sources. Warnings are errors: a comment that names what is not there is wrong.
docs: docs-c
	$(SETUP) rust node docs
	.ci/docs/node_modules/.bin/typedoc --options .ci/docs/typedoc.json
	RUSTDOCFLAGS="-D warnings" cargo doc $(LOCKED) --quiet --profile ci -p kraken-ws-core -p kraken-ws-codec -p kraken-ws-redis --no-deps
	@echo 'target/doc/node target/doc/kraken_ws_core target/doc/c'

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

# The reference of the C and C++ interface, in target/doc/c. A comment that can't be rendered fails.
docs-c: export KRAKEN_WS_VERSION = $(shell sed -n 's/^\#define KRAKEN_WS_VERSION "\(.*\)"/\1/p' include/kraken_ws.h)
docs-c:
	$(SETUP) docs
	mkdir -p target/doc/c
	doxygen ffi/doxygen/Doxyfile

clean:
	cargo clean
	rm -rf node-binding/dist node-binding/*.node
