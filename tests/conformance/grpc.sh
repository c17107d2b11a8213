#!/usr/bin/env bash
# gRPC through the real binary: grpc-go's interop client and server, and what Holdfast promises to gRPC clients besides (see
# grpc/main.go). HOLDFAST_BIN names the binary (default: build/dev/proxy/holdfast). Needs Go, and fetches a newer one where
# it is too old; go.mod and go.sum in grpc/ pin the rest. Without Go it says so and is skipped, except in CI. Ends with
# "N passed, N failed".
. "$(dirname "${BASH_SOURCE[0]}")/common.sh" gRPC

enter_go_module grpc
"$go" build -o "$tools/" . google.golang.org/grpc/interop/server
TMPDIR=$tools "$tools/grpc" "$binary" "$tools/server"
