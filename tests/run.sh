#!/usr/bin/env bash
# Builds and runs every test: unit, corpus, structure and integration through ctest, then end to end and the deploy checks.
#   tests/run.sh            everything, preset dev
#   tests/run.sh asan|tsan  that preset, ctest alone
# Installs the packages of deploy/packages.txt that are missing. Ends with "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-dev}
jobs=$(nproc)
results=build/$preset/results

# ThreadSanitizer of GCC 12 cannot live with the address layout of newer kernels; where the layout can be fixed, it is.
fixed_layout() {
  if [ "$preset" = tsan ] && setarch "$(uname -m)" -R true 2>/dev/null; then
    setarch "$(uname -m)" -R "$@"
  else
    "$@"
  fi
}

passed=0
failed=0

# The sum of one attribute over a GoogleTest report's suites, 0 where there is no report.
sum_of() {
  [ -s "$2" ] || { echo 0; return; }
  sed -n "s/^  <testsuite .* $1=\"\([0-9]*\)\".*/\1/p" "$2" | awk '{ sum += $1 } END { print sum + 0 }'
}

# Adds the cases of one ctest run: those that GoogleTest wrote down, or the program itself where it wrote nothing.
count_ctest() {
  local name state report cases broken skipped
  while read -r name state; do
    report=$results/${name//./_}.xml
    cases=$(sum_of tests "$report") broken=$(sum_of failures "$report") skipped=$(sum_of skipped "$report")
    [ "$cases" -gt 0 ] || cases=1
    # A program that failed although each of its cases passed, or before it could write them down, is one failure.
    if [ "$state" != run ] && [ "$broken" = 0 ]; then broken=1 cases=1; fi
    failed=$((failed + broken))
    passed=$((passed + cases - broken - skipped))
  done < <(sed -n 's/.*<testcase name="\([^"]*\)".* status="\([a-z]*\)".*/\1 \2/p' "$results/ctest.junit")
}

# Runs a script that counts its tests as this one does, or as Node's test runner; without a count it is one test.
run_script() {
  local log=$results/$1.log status=0 line
  mkdir -p "$(dirname "$log")"
  echo "== $1"
  "./$1" 2>&1 | tee "$log" || status=$?
  line=$(sed -nE -e '/^[0-9]+ passed, [0-9]+ failed$/p' -e 's/^(ℹ|#) pass ([0-9]+)$/\2 passed, /p' \
    -e 's/^(ℹ|#) fail ([0-9]+)$/\2 failed/p' "$log" | tr -d '\n')
  if [ -n "$line" ]; then
    passed=$((passed + ${line%% *}))
    line=${line#*, }
    failed=$((failed + ${line%% *}))
    [ "$status" = 0 ] || [ "${line%% *}" -gt 0 ] || failed=$((failed + 1))
  elif [ "$status" = 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
}

deploy/install-packages.sh build
# What comes from elsewhere can come while the compiler works. Whether that went well is seen where it is needed: what is
# missing then is fetched again, and fails aloud.
fetching=
if [ "$preset" = dev ] && [ -x tests/e2e/run.sh ]; then
  tests/e2e/run.sh fetch >/dev/null 2>&1 &
  fetching=$!
fi
cmake --preset "$preset"
cmake --build --preset "$preset" -j "$jobs"
[ -z "$fetching" ] || wait "$fetching" || true
rm -rf "$results"
mkdir -p "$results"
export GTEST_OUTPUT="xml:$PWD/$results/"
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
ran=0
fixed_layout ctest --preset "$preset" -j "$jobs" --no-tests=error --output-junit "$PWD/$results/ctest.junit" || ran=$?
unset GTEST_OUTPUT
[ -s "$results/ctest.junit" ] || { echo "ctest wrote no results" >&2; exit 1; }
count_ctest
[ "$ran" = 0 ] || [ "$failed" -gt 0 ] || failed=1

if [ "$preset" = dev ]; then
  for script in tests/conformance/h2spec.sh tests/conformance/grpc.sh tests/conformance/toxiproxy.sh tests/e2e/run.sh \
    tests/deploy/check.sh tests/schema/check.sh tests/damaged/check.sh; do
    if [ -x "$script" ]; then run_script "$script"; fi
  done
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
