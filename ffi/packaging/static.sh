#!/usr/bin/env bash
# Makes the static library that users get of the one that cargo makes: one object that exports the functions of
# ffi/symbols.txt and nothing else.
#
# Rust puts its standard library into each static library, with all of its symbols global. Two of them in one program
# (ours and any other that is written in Rust) then define the same symbols, `rust_eh_personality` among them, and
# don't link, or share an allocator that only one of them was built for. As one object with local symbols, each has
# its own. The partial link also leaves out what no function of the library needs.
#
# Usage: ffi/packaging/static.sh LIBRARY TARGET ; LD (GNU ld), OBJCOPY, STRIP and AR name tools of another platform.
# STRIP=true keeps debug symbols.
set -euo pipefail
library=${1:?usage: ffi/packaging/static.sh LIBRARY TARGET}
target=${2:?usage: ffi/packaging/static.sh LIBRARY TARGET}
symbols=$(dirname "$0")/../symbols.txt

linker=${LD:-ld}
# ld.bfd is GNU ld where another one is called ld.
[ -n "${LD:-}" ] || ! command -v ld.bfd >/dev/null || linker=ld.bfd
case $("$linker" --version 2>&1 | head -n 1) in
  GNU\ ld*) ;;
  *)
    echo "ffi/packaging/static.sh: $linker is not GNU ld (others can't remove unused sections from an object); set LD" >&2
    exit 1
    ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mapfile -t roots < <(sed 's/^/--undefined=/' "$symbols")
# Groups are resolved here: in the program's link, a group of the other library with the same name would take the
# place of ours, and our local symbols would point into nothing.
"$linker" -r --gc-sections --force-group-allocation "${roots[@]}" "$library" -o "$work/kraken_ws.o"
# The bitcode of Rust's standard library is no bitcode any more once it is glued together, and breaks tools with
# LLVM's plugin.
"${OBJCOPY:-objcopy}" --keep-global-symbols="$symbols" --remove-section=.llvmbc --remove-section=.llvmcmd \
  "$work/kraken_ws.o"
"${STRIP:-strip}" --strip-unneeded "$work/kraken_ws.o"
rm -f "$target"
"${AR:-ar}" rcsD "$target" "$work/kraken_ws.o"
