#!/usr/bin/env bash
# Bad networks through the real binary, by toxiproxy 2.5.0: slow, narrow, crumbling, silent and cut ways between clients and
# Holdfast, and between Holdfast and its backend (see toxiproxy/tests.go). HOLDFAST_BIN names the binary (default:
# build/dev/proxy/holdfast). Needs Go, and fetches a newer one where it is too old; go.mod and go.sum in toxiproxy/ pin the
# rest. Without Go it says so and is skipped, except in CI. Ends with "N passed, N failed".
. "$(dirname "${BASH_SOURCE[0]}")/common.sh" toxiproxy

enter_go_module toxiproxy
"$go" build -o "$tools/" .
TMPDIR=$tools "$tools/toxiproxy" "$binary"
