#!/usr/bin/env bash
# Bad networks through the real binary, by toxiproxy 2.5.0: slow, narrow, crumbling, silent and cut ways between clients and
# Holdfast, and between Holdfast and its backend (see toxiproxy/tests.go). HOLDFAST_BIN names the binary (default:
# build/dev/proxy/holdfast). Needs Go, and fetches a newer one where it is too old; go.mod and go.sum in toxiproxy/ pin the
# rest. Without Go it says so and is skipped, except in CI. Ends with "N passed, N failed".
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
binary=$(realpath -m "${HOLDFAST_BIN:-$repository/build/dev/proxy/holdfast}")
[[ -x $binary ]] || { echo "$0: no binary at $binary; build one or set HOLDFAST_BIN" >&2; exit 1; }

skip() {
  echo "SKIPPED: toxiproxy: $1" >&2
  [[ -z ${CI:-} ]] || exit 1
  echo "0 passed, 0 failed"
  exit 0
}

go=$("$here/new_go.sh" 1.26.8) || skip "there is no Go that is new enough"
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
cd "$here/toxiproxy"
export GOTOOLCHAIN=local GOFLAGS=-mod=readonly
"$go" mod download >&2 || skip "its modules could not be fetched"
"$go" build -o "$tools/" .
TMPDIR=$tools "$tools/toxiproxy" "$binary"
