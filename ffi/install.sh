#!/usr/bin/env bash
# Installs the C library: headers, static and shared library, pkg-config file, CMake package.
# Usage: ffi/install.sh LIBRARY_FOLDER PREFIX ; LIBRARY_FOLDER is where cargo put libkraken_ws.a and .so.
#
# From the environment: LIBDIR (lib) and INCLUDEDIR (include), absolute or below PREFIX; DESTDIR, which is put before
# all of them, as packagers expect; QUIET, to say nothing; and the tools: LD (GNU ld), OBJCOPY, STRIP, AR.
# The libraries are stripped. STRIP=true keeps the debug symbols.
# What is installed may be moved: its files find each other by relative paths.
set -euo pipefail
libraries=$(realpath "${1:?usage: ffi/install.sh LIBRARY_FOLDER PREFIX}")
prefix=$(realpath -ms "${2:?usage: ffi/install.sh LIBRARY_FOLDER PREFIX}")
cd "$(dirname "$0")"

below_prefix() { case $1 in /*) realpath -ms "$1" ;; *) realpath -ms "$prefix/$1" ;; esac }
libdir=$(below_prefix "${LIBDIR:-lib}")
includedir=$(below_prefix "${INCLUDEDIR:-include}")

for library in libkraken_ws.a libkraken_ws.so; do
  [ -f "$libraries/$library" ] || {
    echo "ffi/install.sh: $libraries has no $library; this installs ELF libraries only, not those of macOS or Windows" >&2
    exit 1
  }
done

header=../include/kraken_ws.h
version=$(sed -n 's/^#define KRAKEN_WS_VERSION "\(.*\)"/\1/p' "$header")
abi=$(sed -n 's/^#define KRAKEN_WS_ABI_VERSION //p' "$header")
root=${DESTDIR:-}
# What Rust's standard library needs of the system when it is linked statically.
system_libraries=$(<packaging/system-libraries)

from() { realpath -ms --relative-to="$1" "$2"; } # from FOLDER TARGET: the relative path

fill() { # fill TEMPLATE FOLDER
  local target
  target=$root$2/$(basename "$1" .in)
  sed -e "s|@VERSION@|$version|g; s|@ABI@|$abi|g; s|@SYSTEM_LIBRARIES@|$system_libraries|g" \
    -e "s|@PREFIX@|$(from "$2" "$prefix")|g; s|@LIBDIR@|$(from "$2" "$libdir")|g" \
    -e "s|@INCLUDEDIR@|$(from "$2" "$includedir")|g" "$1" >"$target"
  chmod 644 "$target"
}

install -d "$root$includedir" "$root$libdir/pkgconfig" "$root$libdir/cmake/kraken_ws"
install -m 644 ../include/kraken_ws.h ../include/kraken_ws.hpp "$root$includedir"
packaging/static.sh "$libraries/libkraken_ws.a" "$root$libdir/libkraken_ws.a"
chmod 644 "$root$libdir/libkraken_ws.a"
install -m 755 "$libraries/libkraken_ws.so" "$root$libdir/libkraken_ws.so.$abi"
"${STRIP:-strip}" --strip-unneeded "$root$libdir/libkraken_ws.so.$abi"
ln -sf "libkraken_ws.so.$abi" "$root$libdir/libkraken_ws.so"
fill packaging/kraken_ws.pc.in "$libdir/pkgconfig"
for file in kraken_ws-config.cmake kraken_ws-config-version.cmake; do
  fill "packaging/$file.in" "$libdir/cmake/kraken_ws"
done
install -m 644 packaging/kraken_ws-targets.cmake "$root$libdir/cmake/kraken_ws"

[ -n "${QUIET:-}" ] || cat <<END
kraken_ws $version is in $root$prefix
shared: cc host.c \$(PKG_CONFIG_PATH=$libdir/pkgconfig pkg-config --cflags --libs kraken_ws)
static: cc host.c -I$includedir $libdir/libkraken_ws.a $system_libraries
END
