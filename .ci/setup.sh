#!/usr/bin/env bash
# Installs what the named parts of the project need and is missing, from package registries only.
# Usage: .ci/setup.sh PART... ; the parts are the functions `setup_PART` below. A second run with
# nothing to do takes no noticeable time.
set -euo pipefail
cd "$(dirname "$0")/.."

# Pinned, so that a new release can't turn a green tree red.
nextest_version=0.9.143
deny_version=0.20.2
fuzz_version=0.13.2
cyclonedx_version=0.5.9

stop() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# Debian packages: installed when we may, else the one command to run.
need_package() { # need_package PACKAGE...
  if ! has apt-get; then
    stop "install with your system's package manager: $*"
  elif [ "$(id -u)" -ne 0 ]; then
    stop "run: sudo apt-get install -y $*"
  fi
  echo "setup: apt-get install $*"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null
}

# A cargo tool, built unoptimised: it compiles in a third of the time and runs for seconds.
need_cargo_tool() { # need_cargo_tool NAME VERSION
  has "$1" && return
  echo "setup: cargo install $1 $2"
  CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug "$1@$2"
}

# `npm ci`, unless the tree is as the lock file says.
need_node_modules() { # need_node_modules FOLDER
  local lock=$1/package-lock.json stamp=$1/node_modules/.installed
  cmp -s "$lock" "$stamp" && return
  echo "setup: npm ci in $1"
  npm --prefix "$1" ci --no-audit --no-fund --loglevel=error </dev/null
  cp "$lock" "$stamp"
}

# Debian keeps clang's sanitizers in a package of their own.
clang_has_sanitizers() { compgen -G "$(clang -print-runtime-dir)/libclang_rt.tsan*" >/dev/null; }

setup_rust() {
  has cargo || stop 'cargo is missing: install Rust 1.88 or newer with rustup'
  has cc || has gcc || has clang || need_package build-essential
  # Strips what ships; rustup's compilers bring it along.
  compgen -G "$(rustc --print sysroot)/lib/rustlib/*/bin/rust-objcopy" >/dev/null || has llvm-objcopy || need_package llvm
}

setup_node() {
  has node || stop 'node is missing: install Node.js 20 or newer, with npm'
  has npm || stop 'npm is missing: install the one that belongs to your Node.js'
  node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' ||
    stop "Node.js 20 or newer is needed, this is $(node --version)"
  need_node_modules node-binding
}

setup_lint() {
  cargo fmt --version >/dev/null 2>&1 || stop 'run: rustup component add rustfmt'
  cargo clippy --version >/dev/null 2>&1 || stop 'run: rustup component add clippy'
  need_cargo_tool cargo-deny "$deny_version"
  need_node_modules .ci/lint
  # The language server of an editor and tsc see the tests' types too.
  need_node_modules tests
}

setup_test() {
  need_cargo_tool cargo-nextest "$nextest_version"
  need_node_modules tests
  need_node_modules tests/nest/majors/11
  need_node_modules tests/nest/majors/12
  need_node_modules tests/package
  need_node_modules tests/docs
  has c++ || has g++ || has clang++ || need_package g++
  # The C suite: both compilers with their sanitizers, both ways to find the package, valgrind.
  has pkg-config || need_package pkg-config
  has cmake || need_package cmake
  has valgrind || need_package valgrind
  has clang++ || need_package clang
  clang_has_sanitizers || need_package "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
  # Where the nodes of a fleet meet. Each test starts its own: the one that the package starts is not needed.
  has redis-server || {
    need_package redis-server
    service redis-server stop >/dev/null 2>&1 || true
  }
  # The configurations of docs/scale.md run in both. Each test starts its own: those that the packages start are not needed.
  has nginx || {
    need_package nginx-light
    service nginx stop >/dev/null 2>&1 || true
  }
  has haproxy || {
    need_package haproxy
    service haproxy stop >/dev/null 2>&1 || true
  }
  # Certificates for the TLS tests.
  has openssl || need_package openssl
  # Where tests/browser looks: CHROMIUM, else an installed one.
  [ -n "${CHROMIUM:-}" ] || has chromium || has chromium-browser || has google-chrome ||
    need_package chromium
}

setup_demo() {
  # The page's socket.io-client is the one that the tests use.
  need_node_modules tests
}

setup_fuzz() {
  has c++ || has g++ || has clang++ || need_package g++
  need_cargo_tool cargo-fuzz "$fuzz_version"
}

setup_sbom() {
  need_cargo_tool cargo-cyclonedx "$cyclonedx_version"
}

setup_docs() {
  need_node_modules .ci/docs
  has doxygen || need_package doxygen
}

setup_packages() {
  # shellcheck source=.ci/setup-packages.sh
  . .ci/setup-packages.sh
}

[ $# -gt 0 ] || stop 'usage: .ci/setup.sh rust|node|lint|test|demo|fuzz|sbom|docs|packages ...'
for part in "$@"; do
  declare -F "setup_$part" >/dev/null || stop "no such part: $part"
  "setup_$part"
done
