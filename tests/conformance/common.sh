# What the scripts beside this one begin with, which source it as `. common.sh NAME`: where they are (`here`), the binary
# that they try (`binary`), and how they say that they cannot (`skip WHY`).
set -euo pipefail

tried=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
binary=$(realpath -m "${HOLDFAST_BIN:-$repository/build/dev/proxy/holdfast}")
[[ -x $binary ]] || { echo "$0: no binary at $binary; build one or set HOLDFAST_BIN" >&2; exit 1; }

skip() {
  echo "SKIPPED: $tried: $1" >&2
  [[ -z ${CI:-} ]] || exit 1
  echo "0 passed, 0 failed"
  exit 0
}

# For programs with a go.mod of their own: `enter_go_module FOLDER` goes there, with `go` new enough, its modules fetched,
# and `tools`, a folder that goes when the script does.
enter_go_module() {
  go=$("$here/new_go.sh" 1.26.8) || skip "there is no Go that is new enough"
  tools=$(mktemp -d)
  trap 'rm -rf "$tools"' EXIT
  cd "$here/$1"
  export GOTOOLCHAIN=local GOFLAGS=-mod=readonly
  "$go" mod download >&2 || skip "its modules could not be fetched"
}
