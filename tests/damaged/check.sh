#!/usr/bin/env bash
# Holds the release build of `holdfast check` to one second of CPU for each of more than 200 damaged configurations. The test is
# build/dev's; HOLDFAST_BIN names a release binary to use instead of building one.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
test=build/dev/tests/integration/integration_damaged
[[ -x $test ]] || { echo "$0: no $test; build the preset dev" >&2; exit 1; }
if [[ -z ${HOLDFAST_BIN:-} ]]; then
  [[ -f build/release/build.ninja ]] || cmake --preset release
  cmake --build --preset release --target holdfast
  HOLDFAST_BIN=build/release/proxy/holdfast
fi
HOLDFAST_BINARY=$(realpath "$HOLDFAST_BIN") HOLDFAST_CHECK_SECONDS=1 "$test"
