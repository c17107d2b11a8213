#!/usr/bin/env bash
# Prints the path of a Go that is at least as new as the given version (such as 1.26.8): the one at hand, or else that very
# version from the Go module proxy, fetched by the one at hand (Debian's will do) and checked against Go's checksum database.
# Kept under ~/.cache/holdfast. Fails, saying why, where there is none.
set -euo pipefail
wanted=$1

"$(dirname "$0")/../../deploy/install-packages.sh" conformance >&2 || true
command -v go >/dev/null || { echo "there is no Go" >&2; exit 1; }
# What is here says `go version go1.19.8 linux/amd64`.
read -r _ _ found platform < <(go version)
if [[ $(printf '%s\n' "${found#go}" "$wanted" | sort -V | head -1) = "$wanted" ]]; then
  command -v go
  exit
fi

kept=${XDG_CACHE_HOME:-$HOME/.cache}/holdfast/go$wanted
if [[ ! -x $kept/bin/go ]]; then
  name=v0.0.1-go$wanted.${platform/\//-}
  fetched=$(cd / && go mod download -json "golang.org/toolchain@$name" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  [[ -n $fetched ]] || { echo "golang.org/toolchain@$name could not be fetched" >&2; exit 1; }
  mkdir -p "$(dirname "$kept")"
  copy=$(mktemp -d "$kept.XXXXXX")
  cp -r "$fetched/." "$copy"
  # A module has no executables and no go.mod below its own: how the toolchain is packed for the proxy.
  chmod -R u+w "$copy"
  chmod -R a+x "$copy/bin" "$copy/pkg/tool"
  find "$copy" -name _go.mod -execdir mv {} go.mod \;
  # Whoever was faster has put the same there.
  mv -T "$copy" "$kept" 2>/dev/null || rm -rf "$copy"
fi
echo "$kept/bin/go"
