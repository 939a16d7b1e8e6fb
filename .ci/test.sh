#!/usr/bin/env bash
# Runs the test suites and closes with the counts of each. A suite that fails, does not finish or
# runs no test fails the whole, but the suites after it still run.
# Usage: .ci/test.sh [SUITE...], all of them by default.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

# One profile for everything that is built here, so that nothing is compiled twice.
profile=ci
built=${CARGO_TARGET_DIR:-target}/$profile
logs=${CARGO_TARGET_DIR:-target}/test-logs
locked=()
[ -n "${CI:-}" ] && locked=(--locked)

all=(rust autobahn fuzz doc interop node bridge on-bridge nest wire cluster package browser c docs)
[ $# -gt 0 ] || set -- "${all[@]}"

closing=() # the closing lines
outcome=0

# Numbers that stand before the word $2 in the file $1, added up.
sum() { grep -oE "[0-9]+ $2" "$1" | awk '{ total += $1 } END { print total + 0 }'; }

# The number after `# word` at the end of a TAP file, which is what Node's runner writes.
tap() { sed -n "s/^# $2 //p" "$1" | tail -n 1 | grep . || echo 0; }

count() { # count SUITE STATUS PASSED FAILED SKIPPED
  local status=$2 passed=$3 failed=$4 skipped=$5
  [ "$status" -ne 0 ] && [ "$failed" -eq 0 ] && failed=1
  [ $((passed + failed)) -eq 0 ] && failed=1
  [ "$failed" -ne 0 ] && outcome=1
  local line="$1: $passed passed, $failed failed"
  [ "$skipped" -ne 0 ] && line+=", $skipped skipped"
  closing+=("$line")
  [ "$failed" -ne 0 ] && mapfile -t -O "${#closing[@]}" closing < <(failed "$1")
  [ "$status" -eq 124 ] && echo "$1: stopped, it ran longer than its limit"
}

# The tests of a suite that failed, by the log of nextest, of Node's runner or of tests/c.
failed() {
  local log=$logs/$1.log
  [ -f "$log" ] || log=$logs/$1.tap
  [ -f "$log" ] || return 0
  sed -nE -e 's/^ +(FAIL|TIMEOUT|SIG[A-Z]+) \[.*\) (.*)/\2/p' -e 's/^ *not ok [0-9]+ - (.*)/\1/p' -e 's/^test (.*) \.\.\. FAILED/\1/p' -e 's/^FAIL (.*)/\1/p' "$log" |
    sort -u | head -n 10 | sed "s/^/  failed in $1: /"
}

limit() { timeout --kill-after=10 "$@" </dev/null; }

run_rust() { # run_rust SUITE FILTER: Rust tests, by a filter of nextest
  local log=$logs/$1.log
  limit 1800 cargo nextest run "${locked[@]}" --workspace --cargo-profile "$profile" --color never -E "$2" 2>&1 | tee "$log"
  local status=${PIPESTATUS[0]}
  grep -E '^ +Summary ' "$log" >"$log.summary"
  # Skipped are those that the filter leaves out.
  count "$1" "$status" "$(sum "$log.summary" passed)" \
    $(($(sum "$log.summary" failed) + $(sum "$log.summary" 'timed out'))) 0
}

run_doc() {
  local log=$logs/doc.log
  limit 900 cargo test "${locked[@]}" --workspace --doc --profile "$profile" 2>&1 | tee "$log"
  local status=${PIPESTATUS[0]}
  grep '^test result:' "$log" >"$log.summary"
  count doc "$status" "$(sum "$log.summary" passed)" "$(sum "$log.summary" failed)" "$(sum "$log.summary" ignored)"
}

run_node() { # run_node SUITE [FOLDER...]: the files tests/FOLDER/*.test.mjs, by default those of tests/SUITE
  local log=$logs/$1.tap files=() folders=("${@:2}")
  [ ${#folders[@]} -gt 0 ] || folders=("$1")
  mapfile -t files < <(find "${folders[@]/#/tests/}" \( -name node_modules -o -name target \) -prune -o -name '*.test.mjs' -print | sort)
  if [ ${#files[@]} -eq 0 ]; then
    echo "tests/$1 holds no *.test.mjs"
    count "$1" 1 0 0 0
    return
  fi
  # Two files at a time: one per core, and the tests of a file share a server.
  # A file that does not end fails, and the others still run.
  limit 1200 node --test --test-concurrency=2 --test-timeout=400000 \
    --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$log" "${files[@]}"
  local status=$?
  count "$1" "$status" "$(tap "$log" pass)" $(($(tap "$log" fail) + $(tap "$log" cancelled))) \
    $(($(tap "$log" skipped) + $(tap "$log" todo)))
}

# Suites whose TypeScript is compiled first: tests/nest, and the demo that tests/browser runs.
run_nest() {
  if node tests/nest/build.mjs; then run_node nest; else count nest 1 0 0 0; fi
}

run_browser() {
  if node-binding/node_modules/.bin/tsc -p node-binding/examples/nest-chat; then
    run_node browser
  else
    count browser 1 0 0 0
  fi
}

run_c() {
  local log=$logs/c.log
  limit 900 tests/c/run.sh "$built" 2>&1 | tee "$log"
  local status=${PIPESTATUS[0]}
  tail -n 1 "$log" >"$log.summary"
  count c "$status" "$(sum "$log.summary" passed)" "$(sum "$log.summary" failed)" 0
}

rm -rf "$logs"
mkdir -p "$logs"
# All targets at once: dependencies are resolved one way for all that names the workspace after this. The addon is built
# alone below, as its users get it: with other features of core.
cargo build "${locked[@]}" --workspace --all-targets --profile "$profile" || exit 1
node node-binding/scripts/build.mjs --profile "$profile" || exit 1

for suite in "$@"; do
  printf '\n== %s\n' "$suite"
  case $suite in
    rust) run_rust rust 'not (binary(websocket_cases) | binary(fuzz_seeds))' ;;
    # Autobahn's WebSocket cases, and the fuzz targets for a moment.
    autobahn) run_rust autobahn 'binary(websocket_cases)' ;;
    fuzz) run_rust fuzz 'binary(fuzz_seeds)' ;;
    doc) run_doc ;;
    c) run_c ;;
    nest) run_nest ;;
    browser) run_browser ;;
    # What real clients see, of socket.io on the native engine.
    on-bridge) SUBJECT=bridge run_node on-bridge interop node ;;
    *) run_node "$suite" ;;
  esac
done

printf '\n== tests\n'
printf '%s\n' "${closing[@]}"
exit "$outcome"
