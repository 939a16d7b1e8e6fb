#!/usr/bin/env bash
# Installs the C library: headers, static and shared library, pkg-config file, CMake package.
# Usage: ffi/install.sh LIBRARY_FOLDER PREFIX ; LIBRARY_FOLDER is where cargo put libkraken_ws.a and .so.
# DESTDIR is put before PREFIX, as packagers expect.
set -euo pipefail
libraries=$(realpath "${1:?usage: ffi/install.sh LIBRARY_FOLDER PREFIX}")
prefix=$(realpath -m "${2:?usage: ffi/install.sh LIBRARY_FOLDER PREFIX}")
cd "$(dirname "$0")"

header=../include/kraken_ws.h
version=$(sed -n 's/^#define KRAKEN_WS_VERSION "\(.*\)"/\1/p' "$header")
abi=$(sed -n 's/^#define KRAKEN_WS_ABI_VERSION //p' "$header")
root=${DESTDIR:-}$prefix
# What Rust's standard library needs of the system when it is linked statically.
system_libraries="-lpthread -ldl -lm"
[ "$(uname)" = Linux ] && system_libraries+=" -lrt"

fill() { # fill TEMPLATE TARGET
  sed -e "s|@PREFIX@|$prefix|g; s|@VERSION@|$version|g; s|@ABI@|$abi|g; s|@SYSTEM_LIBRARIES@|$system_libraries|g" \
    "$1" >"$2"
  chmod 644 "$2"
}

install -d "$root/include" "$root/lib/pkgconfig" "$root/lib/cmake/kraken_ws"
install -m 644 ../include/kraken_ws.h ../include/kraken_ws.hpp "$root/include"
install -m 644 "$libraries/libkraken_ws.a" "$root/lib"
install -m 755 "$libraries/libkraken_ws.so" "$root/lib/libkraken_ws.so.$abi"
ln -sf "libkraken_ws.so.$abi" "$root/lib/libkraken_ws.so"
fill packaging/kraken_ws.pc.in "$root/lib/pkgconfig/kraken_ws.pc"
fill packaging/kraken_ws-config.cmake.in "$root/lib/cmake/kraken_ws/kraken_ws-config.cmake"
fill packaging/kraken_ws-config-version.cmake.in "$root/lib/cmake/kraken_ws/kraken_ws-config-version.cmake"

cat <<END
kraken_ws $version is in $root
shared: cc host.c \$(pkg-config --cflags --libs kraken_ws)
static: cc host.c -I$prefix/include $prefix/lib/libkraken_ws.a $system_libraries
END
