#!/usr/bin/env bash
# Builds every program in this folder against libkraken_ws.a and against libkraken_ws.so and runs
# it; a program passes when it exits 0. Usage: tests/c/run.sh LIBRARY_FOLDER
set -euo pipefail
libraries=$(realpath "${1:?usage: tests/c/run.sh LIBRARY_FOLDER}")
cd "$(dirname "$0")"

package=$(cargo pkgid -p kraken-ws-ffi) # …#kraken-ws-ffi@0.1.0 or …/ffi#0.1.0
version=${package##*[#@]}
flags=(-Wall -Wextra -Werror -pedantic -O1 -g -I../../include "-DEXPECTED_VERSION=\"$version\"")
# What Rust's standard library needs of the system when it is linked statically.
system_libraries=(-lpthread -ldl -lm)
[ "$(uname)" = Linux ] && system_libraries+=(-lrt)

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
passed=0 failed=0

check() { # check NAME COMMAND...: builds with COMMAND, runs the program, counts the outcome
  local name=$1
  shift
  if "$@" -o "$out/$name" && timeout 60 "$out/$name"; then
    echo "ok   $name"
    passed=$((passed + 1))
  else
    echo "FAIL $name"
    failed=$((failed + 1))
  fi
}

for source in *.c *.cpp; do
  compile=("${CC:-cc}" -std=c11)
  [ "${source##*.}" = cpp ] && compile=("${CXX:-c++}" -std=c++17)
  check "$source-static" "${compile[@]}" "${flags[@]}" "$source" "$libraries/libkraken_ws.a" "${system_libraries[@]}"
  check "$source-shared" "${compile[@]}" "${flags[@]}" "$source" -L"$libraries" -lkraken_ws -Wl,-rpath,"$libraries"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
