#!/usr/bin/env bash
# Tests of the C library: installs it into a fresh folder, builds the programs of this folder and the examples against that
# in every way a host may, and runs them: alone, with real clients, under sanitizers and valgrind.
# Usage: tests/c/run.sh LIBRARY_FOLDER [PART...]; the parts are the functions `part_...` below, all of them by default.
set -euo pipefail
libraries=$(realpath "${1:?usage: tests/c/run.sh LIBRARY_FOLDER [PART...]}")
shift
cd "$(dirname "$0")"
root=$(realpath ../..)

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
passed=0 failed=0

QUIET=1 "$root/ffi/install.sh" "$libraries" "$out/installed"
export PKG_CONFIG_PATH=$out/installed/lib/pkgconfig LD_LIBRARY_PATH=$out/installed/lib
shared=$out/installed/lib/libkraken_ws.so.1

package=$(cargo pkgid -p kraken-ws-ffi) # …#kraken-ws-ffi@0.1.0 or …/ffi#0.1.0
version=${package##*[#@]}
warnings=(-Wall -Wextra -Wpedantic -Werror)
flags=("${warnings[@]}" -D_GNU_SOURCE -O1 -g "-DEXPECTED_VERSION=\"$version\"" "-DSHARED_LIBRARY=\"$shared\""
  "-DPROFANITY_MODULE=\"$out/profanity_module.so\"" "-I$out" $(pkg-config --cflags kraken_ws))
dynamic=($(pkg-config --libs kraken_ws))
# The link line for static use, as the README has it.
static=("$out/installed/lib/libkraken_ws.a" $(pkg-config --static --libs-only-l kraken_ws | sed 's/-lkraken_ws//'))

# table.c compares each function with its place in the table.
sed 's/kraken_ws_\(.*\)/SAME(\1)/; /SAME(get_api)/d' "$root/ffi/symbols.txt" >"$out/symbols.inc"

ok() {
  echo "ok   $1"
  passed=$((passed + 1))
}

not_ok() {
  echo "FAIL $1"
  failed=$((failed + 1))
}

check() { # check NAME COMMAND...
  local name=$1
  shift
  local limit=(timeout 120)
  [ "$(type -t "$1")" = function ] && limit=()
  if "${limit[@]}" "$@" >"$out/log" 2>&1; then ok "$name"; else
    cat "$out/log"
    not_ok "$name"
  fi
}

compile() { # compile SOURCE TARGET ARGUMENT...: gcc or clang by COMPILER
  local source=$1 target=$2
  shift 2
  case ${COMPILER:-gcc}-${source##*.} in
    gcc-c) gcc -std=c11 "${flags[@]}" "$source" -o "$target" "$@" ;;
    gcc-*) g++ -std=c++17 "${flags[@]}" "$source" -o "$target" "$@" ;;
    clang-c) clang -std=c11 "${flags[@]}" "$source" -o "$target" "$@" ;;
    clang-*) clang++ -std=c++17 "${flags[@]}" "$source" -o "$target" "$@" ;;
  esac
}

build_and_run() { # build_and_run NAME SOURCE ARGUMENT...
  local name=$1 source=$2
  shift 2
  if compile "$source" "$out/program" "$@" >"$out/log" 2>&1 && timeout 120 "$out/program" >"$out/log" 2>&1; then
    ok "$name"
  else
    cat "$out/log"
    not_ok "$name"
  fi
}

build_modules() { # build_modules FOLDER
  compile "$root/ffi/examples/profanity_module.c" "$1/profanity_module.so" -shared -fPIC
  compile hosts/odd_module.c "$1/odd_module.so" -shared -fPIC
  compile hosts/guest_module.c "$1/guest_module.so" -shared -fPIC
}

# Examples and test hosts into a folder, for the tests with clients.
build_hosts() { # build_hosts FOLDER ARGUMENT...
  local folder=$1 examples=$root/ffi/examples
  shift
  mkdir -p "$folder"
  for name in broadcast chat_host epoll_host; do
    compile "$examples/$name.c" "$folder/$name" "$@"
  done
  compile "$examples/chat_host.cpp" "$folder/chat_host_cpp" "$@"
  for name in driven_host fleet_host fleet_emitter publishing_host; do
    compile "hosts/$name.c" "$folder/$name" "$@"
  done
  build_modules "$folder"
}

with_clients() { # with_clients NAME FOLDER FILE...: counts each test
  local name=$1 folder=$2
  shift 2
  PROGRAMS=$folder timeout 280 node --test --test-concurrency=2 --test-timeout=240000 \
    --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$out/tap" "$@" || true
  local good bad
  good=$(sed -n 's/^# pass //p' "$out/tap" | tail -n 1)
  bad=$(($(sed -n 's/^# fail //p' "$out/tap" | tail -n 1) + $(sed -n 's/^# cancelled //p' "$out/tap" | tail -n 1)))
  echo "$name: $good of its tests passed, $bad failed"
  passed=$((passed + good)) failed=$((failed + bad))
  [ "$good" -gt 0 ] || not_ok "$name ran no test"
}

# What is in the library: its symbols, its soname, both compilers on both headers.
part_library() {
  nm -D --defined-only "$shared" | awk '{ print $3 }' | LC_ALL=C sort >"$out/exported"
  check 'the shared library exports ffi/symbols.txt and nothing else' diff "$root/ffi/symbols.txt" "$out/exported"
  nm -g --defined-only "$out/installed/lib/libkraken_ws.a" | awk 'NF == 3 { print $3 }' | LC_ALL=C sort >"$out/exported"
  check 'the static library exports ffi/symbols.txt and nothing else' diff "$root/ffi/symbols.txt" "$out/exported"
  check 'the libraries have no debug symbols' sh -c "! readelf -SW '$shared' '$out/installed/lib/libkraken_ws.a' | grep -F .debug_"
  check 'the soname has the version of the ABI' sh -c "readelf -d '$shared' | grep -q 'soname: \[libkraken_ws.so.1\]'"
  check "cargo-c's soname has the version of the ABI, and it finds the headers" node -e '
    const { packages } = JSON.parse(require("fs").readFileSync(0));
    const { capi } = packages.find(({ name }) => name === "kraken-ws-library").metadata;
    if (capi.library.version.split(".")[0] !== process.argv[1]) throw new Error(capi.library.version);
    for (const { from } of capi.install.include.asset) require("fs").accessSync(`../../ffi/library/${from.replace("*", "")}`);
  ' "$(sed -n "s/^#define KRAKEN_WS_ABI_VERSION //p" "$root/include/kraken_ws.h")" < <(cargo metadata --no-deps --offline --format-version 1)
  grep -l . ./*.c hosts/*.c "$root"/ffi/examples/*.c | xargs cat >"$out/sources"
  check 'the programs call every function' sh -c \
    "while read -r symbol; do grep -qw \"\$symbol\" '$out/sources' || { echo \"\$symbol\"; exit 1; }; done <'$root/ffi/symbols.txt'"
  printf '#include <kraken_ws.h>\nint main(void) { return KRAKEN_WS_OK; }\n' >"$out/header.c"
  cp "$out/header.c" "$out/header.cpp"
  printf '#include <kraken_ws.hpp>\nint main() { return KRAKEN_WS_OK; }\n' >"$out/wrapper.cpp"
  for compiler in gcc clang; do
    for source in header.c header.cpp wrapper.cpp; do
      COMPILER=$compiler check "$source compiles with $compiler" compile "$out/$source" "$out/header.out"
    done
  done
}

# The programs of this folder with the static and the shared library, and with the link lines of both packages.
part_programs() {
  build_modules "$out"
  for source in *.c *.cpp; do
    if [ "$source" = dlopen.c ]; then
      build_and_run "$source" "$source" -ldl
      continue
    fi
    build_and_run "$source, static" "$source" "${static[@]}"
    build_and_run "$source, shared" "$source" "${dynamic[@]}"
  done
  COMPILER=clang build_and_run 'bad_input.c, clang' bad_input.c "${static[@]}"
  build_and_run 'cost/send_to_room.c' cost/send_to_room.c "${static[@]}"
}

# The package as a project finds it: installed wherever, and moved.
part_package() {
  local places=("lib include" "lib64 include/kraken" "lib/$(gcc -print-multiarch) include" "/opt/lib /opt/headers")
  local place libdir includedir moved
  for place in "${places[@]}"; do
    read -r libdir includedir <<<"$place"
    rm -rf "$out/stage" "$out/moved"
    check "make install into $place" make_install PREFIX=/usr "LIBDIR=$libdir" "INCLUDEDIR=$includedir" "DESTDIR=$out/stage"
    mv "$out/stage" "$out/moved"
    case $libdir in /*) moved=$out/moved$libdir ;; *) moved=$out/moved/usr/$libdir ;; esac
    check "pkg-config after a move, $place" pkg_config_program "$moved"
    rm -rf "$out/cmake"
    check "find_package after a move, $place" cmake_project "$out/cmake" -DFROM=find_package "-Dkraken_ws_DIR=$moved/cmake/kraken_ws"
  done
  check 'find_package by its prefix' cmake_project "$out/prefix" -DFROM=find_package "-DCMAKE_PREFIX_PATH=$out/installed"
  check 'find_package of a later version fails' sh -c "! cmake -S package -B '$out/later' -DFROM=find_package -DWANTED=99 \
    '-DCMAKE_PREFIX_PATH=$out/installed' 2>'$out/later.log' && grep -q 'version: 0' '$out/later.log'"
}

# The package as a project builds it, with CMake.
part_source() {
  # With the profile and the target folder of these tests, cargo has nothing to do.
  local as_built=("-DKRAKEN_WS_PROFILE=$(basename "$libraries")" "-DKRAKEN_WS_TARGET_DIR=$(dirname "$libraries")"
    -DKRAKEN_WS_FEATURES= '-DKRAKEN_WS_CARGO_FLAGS=--offline;--workspace;--all-targets')
  check 'FetchContent' cmake_project "$out/fetch" -DFROM=FetchContent "-DFETCHCONTENT_SOURCE_DIR_KRAKEN_WS=$root" "${as_built[@]}"
  check 'add_subdirectory' cmake_project "$out/subdirectory" -DFROM=add_subdirectory "-DSOURCES=$root" "${as_built[@]}"
  check 'add_subdirectory for another processor says what to set' sh -c "! cmake -S package -B '$out/cross' -DFROM=add_subdirectory \
    '-DSOURCES=$root' -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=riscv64 2>'$out/cross.log' && grep -q KRAKEN_WS_RUST_TARGET '$out/cross.log'"
  check 'CMake installs what make install does' cmake_install "${as_built[@]}"
}

# Beside another static library that is written in Rust.
part_second() {
  # All of it in one object, so that its symbols can't be left out where ours has the same.
  rustc --edition 2024 --crate-type staticlib -C lto=fat -C codegen-units=1 package/second.rs -o "$out/libsecond.a"
  local second=$out/libsecond.a ours=${static[0]} system=("${static[@]:1}")
  RUST_BACKTRACE=0 build_and_run 'a second library in Rust, after ours' package/second_rust.c "$ours" "$second" "${system[@]}"
  RUST_BACKTRACE=0 build_and_run 'a second library in Rust, before ours' package/second_rust.c "$second" "$ours" "${system[@]}"
  check "with cargo's own static library that fails" sh -c "! gcc ${flags[*]@Q} package/second_rust.c \
    '$libraries/libkraken_ws.a' '$second' ${system[*]} -o '$out/program' 2>'$out/twice' && grep -q rust_eh_personality '$out/twice'"
}

# The last line of the recipe of make install, with the libraries of these tests in place of a release build.
make_install() { # make_install VARIABLE=VALUE...
  local line
  line=$(make --no-print-directory -n -C "$root" install CARGO_TARGET_DIR=built "$@" | grep ffi/install.sh) &&
    (cd "$root" && sh -ec "${line/built\/release/$libraries}")
}

pkg_config_program() { # pkg_config_program LIBDIR
  export PKG_CONFIG_PATH=$1/pkgconfig LD_LIBRARY_PATH=$1
  gcc "${warnings[@]}" "-DEXPECTED_VERSION=\"$version\"" version.c -o "$out/program" $(pkg-config --cflags --libs kraken_ws) &&
    "$out/program"
  local status=$?
  export PKG_CONFIG_PATH=$out/installed/lib/pkgconfig LD_LIBRARY_PATH=$out/installed/lib
  return $status
}

cmake_install() { # cmake_install ARGUMENT...
  cmake -S "$root/ffi" -B "$out/alone" -DCMAKE_INSTALL_LIBDIR=lib "$@" && cmake --build "$out/alone" &&
    cmake --install "$out/alone" --prefix "$out/alone-installed" && diff -r "$out/installed" "$out/alone-installed"
}

# Configures and builds package/ and runs its programs. They have to find the library by themselves.
cmake_project() { # cmake_project FOLDER ARGUMENT...
  local folder=$1 program
  shift
  cmake -S package -B "$folder" "-DEXPECTED_VERSION=$version" "$@" && cmake --build "$folder" || return
  for program in with_default with_shared with_static; do
    env -u LD_LIBRARY_PATH "$folder/$program" || return
  done
}

part_clients() {
  build_hosts "$out/hosts" "${dynamic[@]}"
  with_clients 'hosts with real clients' "$out/hosts" ./*.test.mjs
}

# The library's memory is malloc's in this build, so the sanitizer sees what is done to it from both sides.
part_asan() {
  build_modules "$out"
  local sanitize=(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  for source in bad_input.c threads.c module.c; do
    build_and_run "$source under AddressSanitizer and UBSan" "$source" "${sanitize[@]}" "${static[@]}"
  done
  build_hosts "$out/asan" "${sanitize[@]}" "${static[@]}"
  with_clients 'hosts under AddressSanitizer and UBSan' "$out/asan" driven-*.test.mjs examples.test.mjs fleet.test.mjs
}

# ThreadSanitizer watches the C side. Rust's locks it does not see, so what the library itself does is left out.
part_tsan() {
  export TSAN_OPTIONS=ignore_noninstrumented_modules=1
  COMPILER=clang build_and_run 'threads.c under ThreadSanitizer' threads.c -fsanitize=thread "${dynamic[@]}"
  mkdir -p "$out/tsan"
  build_modules "$out/tsan"
  COMPILER=clang compile hosts/driven_host.c "$out/tsan/driven_host" -fsanitize=thread "${dynamic[@]}"
  with_clients 'driven_host under ThreadSanitizer' "$out/tsan" driven-*.test.mjs
  unset TSAN_OPTIONS
}

part_valgrind() {
  local valgrind='valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,possible --fair-sched=yes'
  build_modules "$out"
  for source in bad_input.c module.c; do
    compile "$source" "$out/program" "${static[@]}"
    # shellcheck disable=SC2086 # words
    check "$source under valgrind" env NO_FORK=1 $valgrind "$out/program"
  done
  build_hosts "$out/valgrind" "${static[@]}"
  UNDER=$valgrind with_clients 'driven_host under valgrind' "$out/valgrind" driven-*.test.mjs
}

[ $# -gt 0 ] || set -- library programs package source second clients asan tsan valgrind
for part in "$@"; do
  echo "-- $part"
  "part_$part"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
